using System.Globalization;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Dot segments that only some readers take for one: behind a slash or backslash that is encoded (<c>/static/..%2fadmin</c>), or with
/// a parameter (<c>/static/..;/admin</c>). Here such a path is one below <c>/static</c>, at the origin it may be <c>/admin</c>: no route,
/// policy or key that was chosen by it is right. What everybody sees (<c>/../</c>, <c>/%2e%2e/</c>) Kestrel has taken out.
/// </summary>
internal static class DotSegments
{
    /// <param name="path">As it was sent, each percent sign with its two digits.</param>
    internal static bool AreHiddenIn(ReadOnlySpan<char> path)
    {
        var segment = default(Segment);
        for (var i = 0; i < path.Length; i++)
        {
            var c = path[i];
            var isEncoded = c == '%';
            if (isEncoded)
            {
                c = (char)byte.Parse(path.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                i += 2;
            }

            if (c is '/' or '\\')
            {
                var isOdd = isEncoded || c == '\\';
                if (segment.IsHiddenDots(isOdd))
                {
                    return true;
                }

                segment = new Segment { IsBehindOdd = isOdd };
            }
            else
            {
                segment.Add(c);
            }
        }

        return segment.IsHiddenDots(isBeforeOdd: false);
    }

    private struct Segment
    {
        private int _dots;
        private bool _hasOthers;
        private bool _hasParameter;

        internal bool IsBehindOdd { get; init; }

        internal readonly bool IsHiddenDots(bool isBeforeOdd) =>
            _dots is 1 or 2 && !_hasOthers && (IsBehindOdd || isBeforeOdd || _hasParameter);

        internal void Add(char c)
        {
            if (_hasParameter)
            {
                return;
            }

            switch (c)
            {
                case ';':
                    _hasParameter = true;
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
