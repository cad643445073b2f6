using System.Collections.Concurrent;
using System.Text.Json;
using CdnEdge.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CdnEdge.Control;

/// <summary>Takes what other PoPs send into this PoP's log.</summary>
/// <remarks>
/// What a log holds already isn't appended again: a log's positions grow, so the highest one seen of each tells. It's learnt
/// from this PoP's own log, hence the same on all nodes and after a restart.
/// </remarks>
internal sealed class PurgeReceiver
{
    /// <summary>The largest batch that is read, in bytes. A sender stays well below.</summary>
    internal const long MaxBytes = 64 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly string _pop;
    private readonly IPurgeLog _log;
    private readonly PurgeTail _tail;
    private readonly ConcurrentDictionary<(string Origin, string Log), long> _highest = new();

    /// <remarks>To be made before the bus starts: it learns from what the bus reads.</remarks>
    internal PurgeReceiver(PurgeOptions options, IPurgeLog log, PurgeBus bus)
    {
        _pop = options.Pop;
        _log = log;
        _tail = bus.Tail;
        _tail.Seen += Learn;
    }

    /// <summary>When this returns, the batch is durable in this PoP's log and in effect on this node.</summary>
    /// <exception cref="PurgeLogUnavailableException">Not now.</exception>
    /// <exception cref="ReplicationRefusedException">There is something wrong with it.</exception>
    internal async Task<ReplicationReceipt> ReceiveAsync(ReplicationBatch batch, CancellationToken cancellation)
    {
        if (batch.From == _pop)
            throw new ReplicationRefusedException($"The sender calls itself '{batch.From}', as this PoP does; each PoP needs a name of its own (CdnEdge:Purge:Pop).");
        if (batch.Entries.Any(static purge => purge is not { Entry: { IsWhole: true, Scopes: null } }))
            throw new ReplicationRefusedException("null is nothing that can be purged, nor is what traffic made outdated elsewhere.");
        var entries = new List<PurgeEntry>();
        if (batch.Distrust)
            entries.Add(new PurgeEntry { Distrust = true, Origin = batch.From, OriginLog = batch.Log });
        var highest = _highest.GetValueOrDefault((batch.From, batch.Log));
        foreach (var (id, entry) in batch.Entries)
        {
            if (!PurgeMoment.TryParse(id, out var position))
                throw new ReplicationRefusedException($"'{id}' is no position in a log; milliseconds-sequence, such as 1732550000000-0");
            if (position > highest)
                entries.Add(entry with { Origin = batch.From, OriginLog = batch.Log, OriginId = id, IdempotencyKey = null });
        }

        if (entries.Count == 0)
        {
            // Has it, if it can still say so.
            await _log.LastAsync(cancellation);
            return new ReplicationReceipt(_pop, 0);
        }

        var ids = await _log.AppendAsync(entries, _tail.Least, cancellation);
        if (!await _tail.WaitForAsync(ids[^1], Patience, cancellation))
            throw new PurgeLogUnavailableException("The purges stand in this PoP's log, but this node can't read them there now.");
        return new ReplicationReceipt(_pop, entries.Count);
    }

    private void Learn(PurgeRecord record)
    {
        if (record.Entry is { OriginLog: { } log, OriginId: { } id } entry && PurgeMoment.TryParse(id, out var position))
            _highest.AddOrUpdate((entry.Origin, log), position, (_, before) => Math.Max(before, position));
    }

    /// <summary>The call <c>POST /purges/replicate</c>.</summary>
    internal async Task HandleAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = MaxBytes;
        var cancellation = context.RequestAborted;
        try
        {
            var batch = await JsonSerializer.DeserializeAsync(context.Request.Body, PurgeJson.Default.ReplicationBatch, cancellation)
                ?? throw new ReplicationRefusedException("A batch belongs here, not null.");
            var receipt = await ReceiveAsync(batch, cancellation);
            context.Response.ContentType = "application/json";
            await JsonSerializer.SerializeAsync(context.Response.Body, receipt, PurgeJson.Default.ReplicationReceipt, cancellation);
        }
        catch (Exception exception) when (exception is JsonException or ReplicationRefusedException)
        {
            // An unknown member is refused, too: it may be what a newer version wants purged.
            await AdminProblem.Of(StatusCodes.Status400BadRequest, $"The batch can't be taken: {exception.Message}").WriteAsync(context);
        }
        catch (PurgeLogUnavailableException exception)
        {
            context.Response.Headers.RetryAfter = "1";
            await AdminProblem.Of(StatusCodes.Status503ServiceUnavailable, exception.Message).WriteAsync(context);
        }
    }
}
