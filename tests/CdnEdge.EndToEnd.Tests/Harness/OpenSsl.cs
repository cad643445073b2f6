using System.Diagnostics;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>OpenSSL's own client, which shows what of a handshake no HTTP client shows.</summary>
internal static class OpenSsl
{
    /// <summary>A GET over HTTP/1.1, all that the client prints included.</summary>
    internal static async Task<string> Get(int port, string host, params string[] more)
    {
        var start = new ProcessStartInfo("openssl", ["s_client", "-connect", $"127.0.0.1:{port}", "-servername", host, "-alpn", "http/1.1", "-ign_eof", .. more])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var client = Process.Start(start) ?? throw new InvalidOperationException("openssl didn't start.");
        try
        {
            var output = client.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = client.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            try
            {
                await client.StandardInput.WriteAsync($"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                client.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended: the handshake failed.
            }

            return await Deadline.Within(output, "openssl s_client") + await Deadline.Within(errors, "openssl s_client");
        }
        finally
        {
            client.Kill();
        }
    }
}
