using System.Diagnostics;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>The real curl: a client that nobody here wrote.</summary>
internal static class Curl
{
    internal static async Task<string> Run(params string[] arguments)
    {
        using var curl = Process.Start(new ProcessStartInfo("curl", arguments) { RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("curl didn't start.");
        var output = curl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            return await Deadline.Within(output, $"curl {string.Join(' ', arguments)}");
        }
        finally
        {
            curl.Kill();
        }
    }
}
