using System.Diagnostics;
using System.Net.Http.Json;
using CdnEdge.Lab.Load;

namespace CdnEdge.Lab.Soak;

/// <summary>
/// Purges what is held, one URL after the other, at the admin API, and asks for it right after the purge was accepted: nothing older
/// than that may come.
/// </summary>
internal sealed class Purger(Uri node, Uri admin, TimeSpan pause) : IAsyncDisposable
{
    private readonly HttpClient _admin = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = admin };
    private readonly CheckingClient _client = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<string> _errors = [];
    private Task _purging = Task.CompletedTask;

    /// <summary>Purges that were accepted.</summary>
    internal int Accepted { get; private set; }

    /// <summary>What went wrong; to be read when it has stopped.</summary>
    internal IReadOnlyCollection<string> Errors => _errors;

    internal void Start() => _purging = PurgeAgainAndAgainAsync();

    internal async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await _purging;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _admin.Dispose();
        _client.Dispose();
        _stopping.Dispose();
    }

    private async Task PurgeAgainAndAgainAsync()
    {
        for (var i = 0; !_stopping.IsCancellationRequested; i++)
        {
            if (await PurgeAsync(i % Visitors.Held) is { } error)
                _errors.Add(error);
            else
                Accepted++;
            await Task.Delay(pause);
        }
    }

    private async Task<string?> PurgeAsync(int number)
    {
        var target = Visitors.HeldTarget(number);
        try
        {
            using var response = await _admin.PostAsJsonAsync("/purge", new { urls = (string[])[$"http://{Topology.Site}{target}"] });
            if (!response.IsSuccessStatusCode)
                return $"a purge was refused: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}";
        }
        catch (HttpRequestException exception)
        {
            return $"a purge failed: {exception.Message}";
        }

        var purged = Stopwatch.GetTimestamp();
        var answer = await _client.AskAsync(node, target, number, Visitors.HeldSize);
        if (answer.Error is { } error)
            return $"after a purge: {error}";
        var since = Stopwatch.GetElapsedTime(purged).TotalSeconds;
        // Age is in whole seconds, and counts from a Date in whole seconds.
        return answer.Age > since + 2 ? $"{answer.Age} s old, {since:0.0} s after its purge" : null;
    }
}
