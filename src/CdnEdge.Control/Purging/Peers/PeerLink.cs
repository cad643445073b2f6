using System.Net.Http.Headers;
using System.Text.Json;
using CdnEdge.Storage;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>The way to one other PoP: what it hasn't acknowledged yet is sent again and again.</summary>
internal sealed partial class PeerLink(
    PeerOptions peer, PurgeOptions options, IPurgeLog log, IPurgeLedger ledger, PurgeBus bus, TimeProvider time, ILogger logger) : IDisposable
{
    private const int MaxEntries = 500;
    private const int MaxBytes = 8 << 20;

    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(5);

    private readonly Uri _url = new(peer.Url.TrimEnd('/') + "/purges/replicate");
    private readonly HttpClient _http = new(peer.Handler()) { Timeout = TimeSpan.FromSeconds(10), MaxResponseContentBufferSize = 64 << 10 };
    private int _failures;
    private bool _isUnreachable;
    private long _cursor = -1;

    /// <summary>The other PoP's name.</summary>
    internal string Peer => peer.Name;

    /// <summary>Purges of this PoP that it hasn't acknowledged yet; null: another node sends to it.</summary>
    internal long? Unacknowledged => Volatile.Read(ref _cursor) is >= 0 and var cursor ? bus.Own.CountAfter(cursor) : null;

    public void Dispose() => _http.Dispose();

    /// <summary>Sends until it's cancelled.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (await ledger.TryLeadAsync(peer.Name, options.Node, Lease, stopping))
                {
                    await SendAsync(stopping);
                    continue;
                }

                Volatile.Write(ref _cursor, -1);
                await Task.Delay(Idle, time, stopping);
            }
            catch (PurgeLogUnavailableException)
            {
                // The tail says so, once; nothing can be lost while nothing can be read.
                await PauseAsync(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A link that ended would leave the other PoP without purges, and nobody would know.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (_failures == 0)
                    Log.Failed(logger, peer.Name, exception);
                await PauseAsync(stopping);
            }
        }
    }

    // 1. Read on from what the peer has acknowledged.  2. Send what this PoP accepted, or just ask whether somebody is there.
    // 3. Only with the peer's receipt does the cursor move.  4. Wait for more.
    private async Task SendAsync(CancellationToken stopping)
    {
        var state = await ledger.PeerAsync(peer.Name, stopping) ?? new PeerState(0, null);
        Volatile.Write(ref _cursor, state.Cursor);
        var page = await log.ReadPurgesAsync(state.Cursor, MaxEntries, stopping);
        var (batch, end) = Compose(page, state.Cursor);
        if (await PostAsync(batch, stopping) is { } error)
        {
            if (!_isUnreachable)
                Log.Unreachable(logger, peer.Name, error);
            _isUnreachable = true;
            if (state.Error != error)
                await ledger.SetPeerAsync(peer.Name, state with { Error = error }, stopping);
            await PauseAsync(stopping);
            return;
        }

        if (_isUnreachable)
            Log.Reached(logger, peer.Name);
        _isUnreachable = false;
        _failures = 0;
        if (state.Error is not null || end != state.Cursor)
            await ledger.SetPeerAsync(peer.Name, new PeerState(end, null), stopping);
        Volatile.Write(ref _cursor, end);
        await bus.Tail.WaitForPurgeAfterAsync(end, Idle, stopping);
    }

    private (ReplicationBatch Batch, long End) Compose(IReadOnlyList<PurgeRecord> page, long cursor)
    {
        if (page.Count == 0)
            return (new ReplicationBatch { From = options.Pop }, cursor);

        var distrust = false;
        var entries = new List<ReplicatedPurge>();
        var end = cursor;
        var bytes = 0;
        foreach (var record in page)
        {
            if (record.Log != page[0].Log || bytes > MaxBytes)
                break;

            // What stood between an entry and the one before it is lost: to the peer as to everybody.
            distrust |= record.Previous != end || record.Entry is null;
            end = record.Id;
            if (record.Entry is null)
                continue;
            if (record.Entry.Origin == options.Pop)
                entries.Add(new ReplicatedPurge(PurgeMoment.Format(record.Id), record.Entry));
            bytes += SizeOf(record.Entry.Request);
        }

        return (new ReplicationBatch { From = options.Pop, Log = page[0].Log, Distrust = distrust, Entries = entries }, end);
    }

    private static int SizeOf(PurgeRequest request) =>
        request.Urls.Concat(request.Prefixes).Concat(request.Sites).Concat(request.Tags).Sum(static text => text.Length);

    /// <returns>What went wrong; null: the peer has it.</returns>
    private async Task<string?> PostAsync(ReplicationBatch batch, CancellationToken stopping)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _url)
        {
            Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(batch, PurgeJson.Default.ReplicationBatch)),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (peer.Token.Length > 0)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", peer.Token);
        try
        {
            using var response = await _http.SendAsync(request, stopping);
            if (!response.IsSuccessStatusCode)
                return $"{_url} answers {(int)response.StatusCode}: {await ShortAsync(response, stopping)}";
            var receipt = await JsonSerializer.DeserializeAsync(await response.Content.ReadAsStreamAsync(stopping), PurgeJson.Default.ReplicationReceipt, stopping);
            return receipt?.Pop == peer.Name ? null : $"{_url} is '{receipt?.Pop}', not '{peer.Name}'";
        }
        catch (Exception exception) when (exception is HttpRequestException or JsonException or IOException
            || (exception is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            return $"{_url}: {exception.Message}";
        }
    }

    private static async Task<string> ShortAsync(HttpResponseMessage response, CancellationToken stopping)
    {
        var text = await response.Content.ReadAsStringAsync(stopping);
        return text.Length > 200 ? text[..200] + "…" : text;
    }

    // Twice as long each time, up to a bound, and not all at once when a place comes back.
    private Task PauseAsync(CancellationToken stopping)
    {
        var pause = Math.Min(FirstRetry.TotalMilliseconds * Math.Pow(2, Math.Min(_failures++, 20)), LastRetry.TotalMilliseconds);
        return Task.Delay(TimeSpan.FromMilliseconds(pause * (0.5 + (Random.Shared.NextDouble() / 2))), time, stopping);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Purges can't be carried to PoP {Peer} now; they are kept and sent again until it has them. {Error}")]
        public static partial void Unreachable(ILogger logger, string peer, string error);

        [LoggerMessage(3, LogLevel.Error, "Carrying purges to PoP {Peer} failed; tried again and again.")]
        public static partial void Failed(ILogger logger, string peer, Exception exception);

        [LoggerMessage(2, LogLevel.Information, "PoP {Peer} can be reached again.")]
        public static partial void Reached(ILogger logger, string peer);
    }
}
