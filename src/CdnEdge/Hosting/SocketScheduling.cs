using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CdnEdge.Hosting;

/// <summary>
/// Event loops in place of a thread pool: one thread per core waits for its sockets and runs what follows, from the first
/// byte of a request to the last of its answer.
/// </summary>
/// <remarks>
/// A hit takes some ten microseconds, of which handing it to another thread would be a quarter. What makes this safe is
/// that nothing here blocks: whatever waits does so asynchronously, and whoever copies much without ever waiting steps
/// aside now and then (<c>Task.Yield</c>), for the other sockets of its loop.
/// </remarks>
internal static class SocketScheduling
{
    /// <summary>Read by .NET when the first socket is opened.</summary>
    internal const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Chooses event loops, unless the operator's environment has chosen; before any socket is opened.</summary>
    internal static void UseEventLoops()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(InlineCompletions)))
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
    }

    internal static void Configure(SocketTransportOptions sockets)
    {
        sockets.UnsafePreferInlineScheduling = true;

        // Reading needn't be preceded by a system call that only waits. It costs an idle connection a block of 4 KiB.
        sockets.WaitForDataBeforeAllocatingBuffer = false;
    }
}
