using CdnEdge.Control;

namespace CdnEdge.Tests;

/// <summary>The section CdnEdge:Admin.</summary>
public class AdminReviewTests
{
    private static readonly string Hash = AdminToken.HashOf("a");
    private static readonly string Token = $"\"ops\": {{ \"Hash\": \"{Hash}\", \"Scopes\": [ \"operate\", \"Read\" ] }}";

    [Fact]
    public async Task By_default_it_listens_on_loopback_alone()
    {
        var reviewed = await Given.ReviewAdmin(Given.WithEdge(""));

        Assert.Empty(reviewed.Errors);
        Assert.Equal("http://127.0.0.1:8081", reviewed.AdminListen!.Url);
    }

    [Theory]
    [InlineData("\"Listen\": \"none\"", null)]
    [InlineData("\"Listen\": \"http://localhost:9\"", "http://localhost:9")]
    [InlineData("\"Listen\": \"http://[::1]:9\"", "http://[::1]:9")]
    [InlineData("\"Listen\": \"http://*:9\", \"Tokens\": { TOKEN }", "http://*:9")]
    [InlineData("\"Token\": \"that of the commands in the same environment\"", "http://127.0.0.1:8081")]
    [InlineData("\"AuditFile\": \"/tmp/audit.jsonl\", \"RequestsPerSecond\": 5", "http://127.0.0.1:8081")]
    public async Task What_is_right_is_read(string admin, string? listen)
    {
        var reviewed = await Given.ReviewAdmin(Given.WithEdge($"\"Admin\": {{ {admin.Replace("TOKEN", Token, StringComparison.Ordinal)} }}"));

        Assert.Empty(reviewed.Errors);
        Assert.Equal(listen, reviewed.AdminListen?.Url);
    }

    [Theory]
    [InlineData("\"Listen\": \"http://*:8081\"", "Listen: 'http://*:8081' can be reached from other machines, but no token is configured")]
    [InlineData("\"Listen\": \"http://10.0.0.1:8081\"", "Listen: 'http://10.0.0.1:8081' can be reached from other machines")]
    [InlineData("\"Listen\": \"http://127.0.0.1:8080\"", "Listen: 'http://127.0.0.1:8080' is taken by 'http://127.0.0.1:8080'")]
    [InlineData("\"Listen\": \"off\"", "Listen: 'off' is not a URL")]
    [InlineData("\"Lisen\": \"none\"", "Lisen: unknown key; did you mean 'Listen'?")]
    [InlineData("\"RequestsPerSecond\": 0", "RequestsPerSecond: 0 is not a rate")]
    [InlineData("\"AuditFile\": \"/tmp\"", "AuditFile: '/tmp' is not a file")]
    [InlineData("\"Tokens\": { \"a\": { \"Scopes\": [ \"read\" ] } }", "Tokens:a:Hash: missing; 'cdnedge token new --name a'")]
    [InlineData("\"Tokens\": { \"a\": { \"Hash\": \"cdnedge_x\", \"Scopes\": [ \"read\" ] } }", "Tokens:a:Hash: not sha256:")]
    [InlineData("\"Tokens\": { \"a\": { \"Hash\": \"HASH\" } }", "Tokens:a:Scopes: none")]
    [InlineData("\"Tokens\": { \"a\": { \"Hash\": \"HASH\", \"Scopes\": [ \"read\", \"write\" ] } }", "Tokens:a:Scopes:1: 'write' is not one of Read, Purge, Operate")]
    [InlineData("\"Tokens\": { TOKEN, \"a\": { \"Hash\": \"HASH\", \"Scopes\": [ \"read\" ] } }", "Tokens:ops:Hash: the token of 'a' too")]
    public async Task Each_mistake_is_named_by_its_path(string admin, string expected)
    {
        var json = $"\"Admin\": {{ {admin.Replace("TOKEN", Token, StringComparison.Ordinal).Replace("HASH", Hash, StringComparison.Ordinal)} }}";

        var reviewed = await Given.ReviewAdmin(Given.WithEdge(json));

        Assert.StartsWith($"CdnEdge:Admin:{expected}", Assert.Single(reviewed.Errors), StringComparison.Ordinal);
    }
}
