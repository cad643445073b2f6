using System.Globalization;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Dot segments that only some readers take for one, behind or before a slash that is encoded (<c>/static/..%2fadmin</c>), or with a
/// parameter (<c>/static/..;/admin</c>). Here such a path is one below <c>/static</c>, at the origin it may be <c>/admin</c>: no route or
/// policy that was chosen by it is right (Kettle, "Gotta cache 'em all", 2024). What everybody sees (<c>/../</c>, <c>/%2e%2e/</c>) the
/// server has taken out, and what climbs no higher than its own segment (<c>/a%2f../b</c>) leads nowhere else.
/// </summary>
internal static class DotSegments
{
    /// <summary>Whether some segment, once decoded, climbs above where it stands.</summary>
    /// <param name="path">As it was sent, each percent sign with its two digits.</param>
    internal static bool ClimbUnseenIn(ReadOnlySpan<char> path)
    {
        foreach (var range in path.Split('/'))
        {
            if (path[range] is { Length: > 2 } segment && Climbs(segment))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Climbs(ReadOnlySpan<char> segment)
    {
        var depth = 0;
        var isPlain = true;
        var part = default(Part);
        for (var i = 0; i < segment.Length; i++)
        {
            var c = segment[i];
            if (c == '%')
            {
                c = (char)byte.Parse(segment.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }

            if (c is '/' or '\\')
            {
                isPlain = false;
                depth += part.Step;
                if (depth < 0)
                {
                    return true;
                }

                part = default;
            }
            else
            {
                part.Add(c);
            }
        }

        // With nothing else in it, it's one that everybody sees.
        return depth + part.Step < 0 && !(isPlain && !part.HasParameter);
    }

    private struct Part
    {
        private int _dots;
        private bool _hasOthers;

        internal bool HasParameter { get; private set; }

        internal readonly int Step => _hasOthers || _dots > 2 ? 1 : _dots == 2 ? -1 : 0;

        internal void Add(char c)
        {
            if (HasParameter)
            {
                return;
            }

            switch (c)
            {
                case ';':
                    HasParameter = true;
                    break;
                case '.':
                    _dots++;
                    break;
                default:
                    _hasOthers = true;
                    break;
            }
        }
    }
}
