using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CdnEdge.Control;

/// <summary>What a log of purges holds of one purge.</summary>
internal sealed record PurgeEntry
{
    private const int ScopeBytes = 16;

    /// <summary>What to purge; nothing in it if <see cref="Distrust"/>.</summary>
    public PurgeRequest Request { get; set; } = new();

    /// <summary>
    /// Purges before this one may have been lost: whatever began before it is stale.
    /// </summary>
    public bool Distrust { get; set; }

    /// <summary>
    /// What traffic made outdated at a node (RFC 9111 §4.4, RFC 9875): scopes, 16 bytes each, gone for the nodes that share its
    /// store. Such an entry isn't a purge that somebody asked for, and doesn't leave the PoP.
    /// </summary>
    public byte[]? Scopes { get; set; }

    /// <summary>The PoP that accepted it.</summary>
    public required string Origin { get; init; }

    /// <summary>Of a purge that came from another PoP: which log of that PoP's held it (<see cref="PurgeRecord.Log"/>).</summary>
    public string? OriginLog { get; set; }

    /// <summary>Of a purge that came from another PoP: its position there, <c>milliseconds-sequence</c>.</summary>
    public string? OriginId { get; set; }

    /// <summary>The key that makes a repeated call harmless.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>Who wanted it: a token's name; of what traffic made outdated, the run of the node where it did.</summary>
    public string? By { get; set; }

    /// <summary>When it was accepted, by the clock of the node that did.</summary>
    public DateTimeOffset At { get; set; }

    /// <summary>False: a list has a hole in it, which JSON allows and nobody here writes.</summary>
    [JsonIgnore]
    internal bool IsWhole =>
        !Request.Urls.Concat(Request.Tags).Concat(Request.Prefixes).Concat(Request.Sites).Contains(null!) && (Scopes?.Length ?? 0) % ScopeBytes == 0;

    /// <summary>An entry of what traffic made outdated.</summary>
    internal static PurgeEntry OfTraffic(IReadOnlyCollection<UInt128> scopes, string origin, string by, DateTimeOffset at)
    {
        var packed = new byte[scopes.Count * ScopeBytes];
        var end = 0;
        foreach (var scope in scopes)
        {
            BinaryPrimitives.WriteUInt128BigEndian(packed.AsSpan(end), scope);
            end += ScopeBytes;
        }

        return new PurgeEntry { Scopes = packed, Origin = origin, By = by, At = at };
    }

    /// <summary><see cref="Scopes"/> one by one.</summary>
    internal IEnumerable<UInt128> EachScope()
    {
        for (var at = 0; at + ScopeBytes <= Scopes?.Length; at += ScopeBytes)
            yield return BinaryPrimitives.ReadUInt128BigEndian(Scopes.AsSpan(at));
    }
}

/// <summary>An entry in its place in a log.</summary>
/// <param name="Id">Its position, a moment.</param>
/// <param name="Previous">
/// Position of the entry of its kind before it when it was written; 0 for a log's first. A reader that has another one before it has
/// missed some.
/// </param>
/// <param name="Log">Which log: made up when it began, so that another in its place has another one.</param>
/// <param name="Entry">Null: not readable, by this version at least.</param>
/// <param name="IsTraffic">Of the other kind: what traffic made outdated (<see cref="PurgeEntry.Scopes"/>).</param>
internal sealed record PurgeRecord(long Id, long Previous, string Log, PurgeEntry? Entry, bool IsTraffic = false);

/// <summary>Positions of the last entries; 0: there's none.</summary>
/// <param name="Purges">Of the last purge.</param>
/// <param name="Traffic">Of the last that traffic made outdated.</param>
internal readonly record struct PurgeLogEnd(long Purges, long Traffic);

/// <summary>Entries as JSON. What isn't known is refused: to overlook part of a purge is to lose it.</summary>
/// <remarks>Of what is read here, properties that may be left out are <c>set</c>: generated code gives an <c>init</c> one null in place of its default.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(PurgeEntry))]
[JsonSerializable(typeof(PurgeRequest))]
[JsonSerializable(typeof(PurgeFileLine))]
[JsonSerializable(typeof(ReplicationBatch))]
[JsonSerializable(typeof(ReplicationReceipt))]
[JsonSerializable(typeof(Dictionary<string, PeerState>))]
internal sealed partial class PurgeJson : JsonSerializerContext
{
    internal static PurgeEntry? ReadEntry(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, Default.PurgeEntry) is { IsWhole: true } entry ? entry : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
