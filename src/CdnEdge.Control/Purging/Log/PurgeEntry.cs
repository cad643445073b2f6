using System.Text.Json;
using System.Text.Json.Serialization;

namespace CdnEdge.Control;

/// <summary>What a log of purges holds of one purge.</summary>
internal sealed record PurgeEntry
{
    /// <summary>What to purge; nothing in it if <see cref="Distrust"/>.</summary>
    public PurgeRequest Request { get; set; } = new();

    /// <summary>
    /// Purges before this one may have been lost: whatever began before it is stale.
    /// </summary>
    public bool Distrust { get; set; }

    /// <summary>The PoP that accepted it.</summary>
    public required string Origin { get; init; }

    /// <summary>Of a purge that came from another PoP: which log of that PoP's held it (<see cref="PurgeRecord.Log"/>).</summary>
    public string? OriginLog { get; set; }

    /// <summary>Of a purge that came from another PoP: its position there, <c>milliseconds-sequence</c>.</summary>
    public string? OriginId { get; set; }

    /// <summary>The key that makes a repeated call harmless.</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>Who wanted it.</summary>
    public string? By { get; set; }

    /// <summary>When it was accepted, by the clock of the node that did.</summary>
    public DateTimeOffset At { get; set; }

    /// <summary>False: a list has a hole in it, which JSON allows and nobody here writes.</summary>
    [JsonIgnore]
    internal bool IsWhole => !Request.Urls.Concat(Request.Tags).Concat(Request.Prefixes).Concat(Request.Sites).Contains(null!);
}

/// <summary>An entry in its place in a log.</summary>
/// <param name="Id">Its position, a moment.</param>
/// <param name="Previous">Position of the entry before it when it was written; 0 for a log's first. A reader that has another one before it has missed some.</param>
/// <param name="Log">Which log: made up when it began, so that another in its place has another one.</param>
/// <param name="Entry">Null: not readable, by this version at least.</param>
internal sealed record PurgeRecord(long Id, long Previous, string Log, PurgeEntry? Entry);

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
