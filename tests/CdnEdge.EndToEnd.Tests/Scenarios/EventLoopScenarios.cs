using CdnEdge.EndToEnd.Tests.Harness;

namespace CdnEdge.EndToEnd.Tests.Scenarios;

/// <summary>How many threads wait for the sockets: one per core where they also run what follows, one in all otherwise.</summary>
public sealed class EventLoopScenarios
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    [Theory]
    [InlineData(null, true)]
    [InlineData("0", false)]
    public async Task Each_core_has_an_event_loop_unless_the_environment_says_otherwise(string? value, bool expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.ProcessorCount is > 1 and < 30, "The threads are told apart on Linux with several cores only.");
        await using var origin = new ScriptedOrigin();
        await using var edge = await EdgeProcess.Serve(
            ["--origin", origin.Url], value is null ? null : new Dictionary<string, string> { [InlineCompletions] = value });

        Assert.Equal(expected ? Environment.ProcessorCount : 1, edge.CountThreads(".NET Sockets"));
    }
}
