namespace CdnEdge.Control.Tests.Purging;

public class PurgeOptionsTests
{
    private const string At = "CdnEdge:Purge";

    [Fact]
    public void The_defaults_are_right() => Assert.Empty(new PurgeOptions().Errors(At, hasRedis: false));

    [Fact]
    public void Every_mistake_is_named_by_its_path()
    {
        var options = new PurgeOptions
        {
            Pop = "l h r",
            Node = "",
            LogFile = " ",
            MaxLogBytes = 1,
            MaxLogEntries = 1,
            Retention = TimeSpan.Zero,
            Peers =
            [
                new() { Name = "l h r", Url = "https://a.example", Token = "t" },
                new() { Name = "fra", Url = "fra.example", Token = "" },
                new() { Name = "fra", Url = "https://u:p@fra.example", Token = "a b" },
            ],
        };

        Assert.Equal(
            ["Pop", "Node", "LogFile", "MaxLogBytes", "MaxLogEntries", "Retention", "Peers:0:Name", "Peers:1:Url", "Peers:1:Token", "Peers:2:Name", "Peers:2:Url", "Peers:2:Token"],
            options.Errors(At, hasRedis: false).Select(static error => error[(At.Length + 1)..error.IndexOf(": ", StringComparison.Ordinal)]));
    }

    [Fact]
    public void With_peers_the_log_has_to_stand_somewhere()
    {
        var options = new PurgeOptions { Peers = [new() { Name = "fra", Url = "http://127.0.0.1:1" }] };

        Assert.Contains($"{At}:LogFile: missing", Assert.Single(options.Errors(At, hasRedis: false)), StringComparison.Ordinal);
        Assert.Empty(options.Errors(At, hasRedis: true));
        options.LogFile = "purges.log";
        Assert.Empty(options.Errors(At, hasRedis: false));
    }

    [Fact]
    public void This_PoP_is_none_of_its_peers() =>
        Assert.Contains("is this PoP", Assert.Single(new PurgeOptions { LogFile = "purges.log", Peers = [new() { Name = "local", Url = "http://127.0.0.1:1" }] }.Errors(At, hasRedis: false)), StringComparison.Ordinal);
}
