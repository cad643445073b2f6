using Microsoft.Extensions.Primitives;

namespace CdnEdge.Caching;

/// <summary>What a plan makes of a stored head: whether its body is compressed, and what its answers say of that.</summary>
/// <param name="plan">The plan.</param>
/// <param name="isNegotiable">It may be had in codings of the plan beside the one it's stored in, if the body's size allows it.</param>
/// <param name="stored">The coding that it's stored in; null: identity.</param>
/// <param name="vary">What its answers have as Vary; empty: what is stored.</param>
/// <param name="hasDigests">Among its fields are digests of the body as it's stored.</param>
internal sealed class CodingVerdict(CompressionPlan plan, bool isNegotiable, string? stored, StringValues vary, bool hasDigests)
{
    internal CompressionPlan Plan => plan;

    internal bool IsNegotiable => isNegotiable;

    internal string? StoredCoding => stored;

    internal StringValues Vary => vary;

    internal bool HasDigests => hasDigests;
}
