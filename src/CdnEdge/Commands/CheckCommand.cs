using CdnEdge.Configuration;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge check</c>: every mistake of a configuration, or that there is none.</summary>
internal sealed class CheckCommand(TextWriter output, TextWriter error)
{
    internal async Task<int> RunAsync(ConfigurationSource source)
    {
        var reviewed = await ConfigurationReview.OfAsync(source, source.ReadFile());
        await reviewed.WriteMistakesAsync(error);
        if (!reviewed.IsValid)
            return ExitCode.Wrong;

        await output.WriteLineAsync($"{source.Name}: OK ({reviewed.Contents})");
        if (reviewed.Http3Answer is { } answer)
            await output.WriteLineAsync($"{source.Name}: HTTP/3 {answer}");
        return ExitCode.Done;
    }
}
