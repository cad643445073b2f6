namespace CdnEdge.Tests;

/// <summary>The section CdnEdge:Purge.</summary>
public class PurgeReviewTests
{
    private const string Peer = "{ \"Name\": \"fra\", \"Url\": \"https://admin.fra.example.net:8081\", \"Token\": \"t\" }";

    [Fact]
    public async Task Without_it_a_node_is_alone_and_writes_no_file()
    {
        var reviewed = await Given.Review(Given.WithEdge(""));

        Assert.Empty(reviewed.Errors);
        Assert.Null(reviewed.Purge.LogFile);
        Assert.Equal(("local", Environment.MachineName), (reviewed.Purge.Pop, reviewed.Purge.Node));
    }

    [Theory]
    [InlineData("\"Purge\": { \"Pop\": \"lhr\", \"Node\": \"edge-1.lhr\", \"LogFile\": \"purges.log\", \"Peers\": [ PEER ] }")]
    [InlineData("\"Redis\": { \"Connection\": \"127.0.0.1:6379\" }, \"Purge\": { \"Peers\": [ PEER ], \"Retention\": \"30.00:00:00\", \"MaxLogEntries\": 5000 }")]
    [InlineData("\"Purge\": { \"LogFile\": \"purges.log\", \"Peers\": [ { \"Name\": \"fra\", \"Url\": \"http://127.0.0.1:1\" } ] }")]
    public async Task What_is_right_is_read(string edge)
    {
        var reviewed = await Given.Review(Given.WithEdge(edge.Replace("PEER", Peer, StringComparison.Ordinal)));

        Assert.Empty(reviewed.Errors);
        Assert.Empty(reviewed.Warnings);
        Assert.Equal("fra", Assert.Single(reviewed.Purge.Peers).Name);
    }

    [Theory]
    [InlineData("\"Pop\": \"l h r\"", "Pop: 'l h r' is not a name")]
    [InlineData("\"Popp\": \"lhr\"", "Popp: unknown key; did you mean 'Pop'?")]
    [InlineData("\"Retention\": 60", "Retention: '60' is not a duration")]
    [InlineData("\"LogFile\": \"/tmp\"", "LogFile: '/tmp' is not a file")]
    [InlineData("\"Peers\": [ PEER ]", "LogFile: missing")]
    [InlineData("\"LogFile\": \"l\", \"Peers\": { \"fra\": {} }", "Peers:fra: a list belongs here")]
    [InlineData("\"LogFile\": \"l\", \"Peers\": [ PEER, PEER ]", "Peers:1:Name: 'fra' stands here twice")]
    [InlineData("\"LogFile\": \"l\", \"Peers\": [ { \"Name\": \"fra\", \"Url\": \"https://fra.example\", \"Tokn\": \"t\" } ]", "Peers:0:Tokn: unknown key; did you mean 'Token'?", "Peers:0:Token: none")]
    public async Task Each_mistake_is_named_by_its_path(string purge, params string[] expected)
    {
        var reviewed = await Given.Review(Given.WithEdge($"\"Purge\": {{ {purge.Replace("PEER", Peer, StringComparison.Ordinal)} }}"));

        Assert.Equal(expected.Length, reviewed.Errors.Count);
        foreach (var mistake in expected)
            Assert.Contains(reviewed.Errors, error => error.StartsWith($"CdnEdge:Purge:{mistake}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_beside_a_redis_is_a_warning()
    {
        var reviewed = await Given.Review(Given.WithEdge("\"Redis\": { \"Connection\": \"127.0.0.1:6379\" }, \"Purge\": { \"LogFile\": \"purges.log\" }"));

        Assert.Empty(reviewed.Errors);
        Assert.StartsWith("CdnEdge:Purge:LogFile: not used", Assert.Single(reviewed.Warnings), StringComparison.Ordinal);
    }
}
