using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace CdnEdge.Lab.Soak;

/// <summary>Those who attack: some of each kind, again and again, each from an address of its own.</summary>
internal sealed class Attackers(Uri plain, Uri tls, SoakTuning tuning) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, int> _made = new();
    private Task _attacking = Task.CompletedTask;

    /// <summary>How often each attack was begun, on a connection that the node had taken.</summary>
    internal IReadOnlyDictionary<string, int> Made => _made;

    internal void Start() => _attacking = Task.WhenAll(
        Enumerable.Range(0, tuning.Attackers * Attacks.List.Count).Select(i => AttackAgainAndAgainAsync(Attacks.List[i % Attacks.List.Count], new IPAddress([127, 0, 66, (byte)(i + 1)]))));

    internal async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _attacking;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private async Task AttackAgainAndAgainAsync(Attacks.Attack attack, IPAddress from)
    {
        while (!_stopping.IsCancellationRequested)
        {
            await AttackAsync(attack, from);
            await Task.Delay(tuning.AttackPause);
        }
    }

    private async Task AttackAsync(Attacks.Attack attack, IPAddress from)
    {
        try
        {
            await using var client = await AttackConnection.ConnectAsync(
                from, attack.IsOverTls ? tls : plain, attack.Name.StartsWith("HTTP/2", StringComparison.Ordinal), tuning.AttackPatience);
            _made.AddOrUpdate(attack.Name, 1, static (_, count) => count + 1);
            await attack.RunAsync(client);
        }
        catch (Exception ended) when (ended is IOException or SocketException or ObjectDisposedException or OperationCanceledException or AuthenticationException)
        {
            // The node has had enough of him, or he of it: either way that was the attack.
        }
    }
}
