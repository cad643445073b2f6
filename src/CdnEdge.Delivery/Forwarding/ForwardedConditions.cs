using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Delivery.Forwarding;

/// <summary>
/// A client's If-Match and If-None-Match on their way upstream. A tag that names a coding made here is unknown to the origin: the one
/// that it was made from goes along. The client's own stays, for an origin may have tags of its own that look like ours.
/// </summary>
/// <remarks>
/// Not If-Range, and not If-Match beside Range: they ask for the rest of what the client has, and that's in a coding that the
/// origin doesn't have.
/// </remarks>
internal sealed class ForwardedConditions
{
    /// <summary>Browsers list one. A field of more goes as it is: it would come to twice its length, more than origins take.</summary>
    private const int MostTags = 32;

    private readonly IHeaderDictionary _headers;
    private readonly CompressionPlan _plan;
    private readonly StringValues _ifMatch;
    private readonly StringValues _ifNoneMatch;

    private ForwardedConditions(IHeaderDictionary headers, CompressionPlan plan) =>
        (_headers, _plan, _ifMatch, _ifNoneMatch) = (headers, plan, headers.IfMatch, headers.IfNoneMatch);

    /// <summary>Puts them as the origin understands them; null where they are that already.</summary>
    internal static ForwardedConditions? Begin(IHeaderDictionary headers, CachePolicy policy)
    {
        var plan = policy.Compression.Plan;
        if (!policy.Enabled || !plan.IsEnabled || (headers.IfMatch.Count == 0 && headers.IfNoneMatch.Count == 0))
        {
            return null;
        }

        var conditions = new ForwardedConditions(headers, plan);
        var isChanged = conditions.TryExtend(conditions._ifNoneMatch, out var ifNoneMatch);
        if (isChanged)
        {
            headers.IfNoneMatch = ifNoneMatch;
        }

        if (headers.Range.Count == 0 && conditions.TryExtend(conditions._ifMatch, out var ifMatch))
        {
            headers.IfMatch = ifMatch;
            isChanged = true;
        }

        return isChanged ? conditions : null;
    }

    /// <summary>Puts them as the client sent them.</summary>
    internal void Restore()
    {
        _headers.IfMatch = _ifMatch;
        _headers.IfNoneMatch = _ifNoneMatch;
    }

    /// <summary>Has a 304 name what the client has, not what the origin knows it by.</summary>
    internal void NameForClient(IHeaderDictionary responseHeaders)
    {
        if (responseHeaders.ETag is not [{ } line] || !EntityTag.TryParse(line, out var tag) || EntityTagList.Contains(_ifNoneMatch, tag, strong: false))
        {
            return;
        }

        foreach (var coding in _plan.Codings)
        {
            if (EntityTagList.ContainsInCoding(_ifNoneMatch, tag, coding))
            {
                responseHeaders.ETag = tag.InCoding(coding).Text;
                return;
            }
        }
    }

    private bool TryExtend(StringValues lines, out StringValues extended)
    {
        extended = lines;
        if (lines.Count == 0)
        {
            return false;
        }

        var members = EntityTagList.Members(lines);
        var known = members.Count;
        if (known > MostTags)
        {
            return false;
        }

        for (var i = 0; i < known; i++)
        {
            foreach (var coding in _plan.Codings)
            {
                if (EntityTag.TryTakeOffCoding(members[i], coding, out var plain) && !members.Contains(plain))
                {
                    members.Add(plain);
                }
            }
        }

        extended = string.Join(", ", members);
        return members.Count > known;
    }
}
