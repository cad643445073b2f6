using System.Net.Sockets;
using CdnEdge.Configuration;
using CdnEdge.Delivery.Guard;
using CdnEdge.Hosting;

namespace CdnEdge.Commands;

/// <summary><c>cdnedge serve</c>: serves until SIGTERM or SIGINT, then lets the requests under way end.</summary>
internal sealed class ServeCommand(TextWriter error)
{
    internal async Task<int> RunAsync(ConfigurationSource source, CancellationToken stop)
    {
        if (RuntimeVersionCheck.Refusal() is { } refusal)
        {
            await error.WriteLineAsync($"cdnedge: {refusal}");
            return ExitCode.Failed;
        }

        SocketScheduling.UseEventLoops();
        var file = source.ReadFile();
        var reviewed = await ConfigurationReview.OfAsync(source, file);
        await reviewed.WriteMistakesAsync(error);
        if (!reviewed.IsValid)
            return ExitCode.Wrong;

        await using var edge = EdgeHost.Build(source, file, reviewed);
        try
        {
            await edge.StartAsync(stop);
        }
        catch (OperationCanceledException) when (edge.Lifetime.ApplicationStopping.IsCancellationRequested || stop.IsCancellationRequested)
        {
            return ExitCode.Done; // told to stop before it had begun
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            // Kestrel names the address when it's in use, and only the reason otherwise (a port below 1024, say).
            var addresses = e is not SocketException ? "" : $" (one of {string.Join(", ", reviewed.Listen)})";
            await error.WriteLineAsync($"cdnedge: {e.Message}{addresses}");
            return ExitCode.Failed;
        }

        EdgeHost.LogStart(edge, reviewed);
        await edge.WaitForShutdownAsync(stop);
        return ExitCode.Done;
    }
}
