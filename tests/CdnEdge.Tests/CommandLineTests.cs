using System.Collections;
using System.Net;
using System.Net.Sockets;
using CdnEdge.Commands;

namespace CdnEdge.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly Hashtable _environment = [];

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private Task<int> Run(params string[] arguments) => new CommandLine(_output, _error, _environment).RunAsync(arguments);

    [Theory]
    [InlineData("purge", "nothing to purge")]
    [InlineData("purge http://example.org/ --admin nowhere", "--admin")]
    [InlineData("stats --token short", "--token")]
    [InlineData("token new --name a", "--scope")]
    [InlineData("token new --name a --scope write", "'write'")]
    [InlineData("token new --name a:b --scope read", "--name")]
    [InlineData("serv", "'serv'")]
    [InlineData("serve --orign http://a", "'--orign'")]
    [InlineData("serve --memcached localhost", "'--memcached'")]
    [InlineData("check --config", "--config")]
    [InlineData("check stray", "'stray'")]
    [InlineData("", "command")]
    public async Task A_wrong_call_names_what_it_does_not_know_and_exits_2(string call, string named)
    {
        var code = await Run(call.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal(2, code);
        Assert.Contains(named, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("serve --help")]
    [InlineData("--version")]
    public async Task Asking_for_help_is_no_mistake(string call)
    {
        Assert.Equal(0, await Run(call.Split(' ')));
        Assert.NotEmpty(_output.ToString());
    }

    [Fact]
    public async Task Check_says_what_there_is()
    {
        using var file = new TemporaryFile(Given.WithEdge("\"Policies\": { \"a\": {}, \"b\": {} }"));

        Assert.Equal(0, await Run("check", "--config", file.Path));
        Assert.Equal($"{file.Path}: OK (1 route, 1 cluster, 2 policies){Environment.NewLine}", _output.ToString());
    }

    [Fact]
    public async Task Check_takes_the_flags_of_serve()
    {
        Assert.Equal(0, await Run("check", "--origin", "http://127.0.0.1:9000", "--listen", "http://127.0.0.1:1", "--listen", "http://[::1]:1"));
        Assert.Equal(2, await Run("check", "--origin", "http://127.0.0.1:9000", "--admin", "http://*:8081"));
        Assert.Contains("CdnEdge:Admin:Listen: 'http://*:8081' can be reached from other machines", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, await Run("check", "--origin", "http://127.0.0.1:9000", "--listen", "nowhere"));
    }

    [Theory]
    [InlineData("check")]
    [InlineData("serve")]
    public async Task A_wrong_configuration_is_listed_whole_and_exits_2(string command)
    {
        using var file = new TemporaryFile(Given.WithEdge("\"Nmae\": \"x\", \"Memory\": { \"MaxBytes\": -1 }"));

        Assert.Equal(2, await Run(command, "--config", file.Path));
        var lines = _error.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Collection(
            lines,
            l => Assert.StartsWith($"{file.Path}: CdnEdge:Nmae: ", l, StringComparison.Ordinal),
            l => Assert.StartsWith($"{file.Path}: CdnEdge:Memory:MaxBytes: ", l, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_environment_may_name_the_file()
    {
        using var file = new TemporaryFile(Given.WithEdge(""));
        _environment["CdnEdge__Config"] = file.Path;

        Assert.Equal(0, await Run("check"));
        Assert.StartsWith(file.Path, _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_a_wrong_call()
    {
        Assert.Equal(2, await Run("serve", "--config", "nowhere.json"));
        Assert.Equal($"nowhere.json: there is no such file{Environment.NewLine}", _error.ToString());
    }

    [Fact]
    public async Task A_log_of_purges_that_another_node_has_is_named_and_exits_1()
    {
        using var file = new TemporaryFile("");
        using var other = new FileStream(file.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        _environment["CdnEdge__Purge__LogFile"] = file.Path;

        Assert.Equal(1, await Run("serve", "--origin", "http://127.0.0.1:9000", "--listen", "http://127.0.0.1:0", "--admin", "none"));
        Assert.Contains(file.Path, _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_in_use_is_named_and_exits_1()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var address = $"http://{other.LocalEndpoint}";

        Assert.Equal(1, await Run("serve", "--origin", "http://127.0.0.1:9000", "--listen", address, "--admin", "none"));
        Assert.Contains($"{address}: address already in use", _error.ToString(), StringComparison.Ordinal);
    }
}
