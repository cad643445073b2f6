using System.Net;
using System.Net.Sockets;

namespace CdnEdge.Lab.Processes;

/// <summary>
/// Loopback ports that nobody listens at. They lie below those that the system itself gives out to connections: a process that was
/// killed finds its own again, and no connection to it while it's away ends at itself.
/// </summary>
internal static class Ports
{
    private const int First = 15_000;

    private const int Last = 32_000;

    private static readonly Lock Lock = new();

    private static readonly HashSet<int> Given = [];

    internal static int Free()
    {
        lock (Lock)
        {
            for (var i = 0; i < 1000; i++)
            {
                var port = Random.Shared.Next(First, Last);
                if (Given.Contains(port) || !IsFree(port))
                    continue;
                Given.Add(port);
                return port;
            }
        }

        throw new InvalidOperationException($"No free port between {First} and {Last} on 127.0.0.1.");
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
