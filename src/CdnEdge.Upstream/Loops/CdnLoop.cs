using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Transforms;

namespace CdnEdge.Upstream.Loops;

/// <summary>
/// CDN-Loop: which CDNs a request has been through (RFC 8586). A node that finds itself there is being asked by
/// itself, and refuses (508); nodes that ask each other have one name, and expect it as often as they did.
/// </summary>
internal static class CdnLoop
{
    /// <summary>The field's name.</summary>
    public const string Field = "CDN-Loop";

    /// <summary>
    /// How often <paramref name="name"/> is one of the cdn-ids of the request's CDN-Loop lines
    /// (<c>CDN-Loop = #( cdn-id *( OWS ";" OWS parameter ) )</c>). A quoted parameter hides neither a comma nor a name.
    /// </summary>
    public static int Count(IHeaderDictionary headers, string name)
    {
        var lines = headers[Field];
        var count = 0;
        for (var i = 0; i < lines.Count; i++) count += Count(lines[i], name);
        return count;
    }

    private static int Count(ReadOnlySpan<char> line, string name)
    {
        var count = 0;
        var isUnbalanced = false;
        while (!line.IsEmpty)
        {
            var end = EndOfElement(line, ref isUnbalanced);
            var element = line[..end];
            line = end < line.Length ? line[(end + 1)..] : default;

            var semicolon = element.IndexOf(';');
            var id = (semicolon < 0 ? element : element[..semicolon]).Trim(" \t");
            // A cdn-id is a pseudonym or uri-host with a port, and hosts know no case.
            if (id.Equals(name, StringComparison.OrdinalIgnoreCase)) count++;
        }

        return count;
    }

    /// <param name="line">What is left of it.</param>
    /// <param name="isUnbalanced">
    /// A quote was open at the line's end: it would swallow everything after it, and a name to be found in there too. What is left is
    /// read unquoted then, all of it: to look for each quote's end would cost the square of the line's length.
    /// </param>
    private static int EndOfElement(ReadOnlySpan<char> line, ref bool isUnbalanced)
    {
        var quoted = false;
        for (var i = 0; !isUnbalanced && i < line.Length; i++)
        {
            switch (line[i])
            {
                case '\\' when quoted:
                    i++;
                    break;
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    return i;
            }
        }

        isUnbalanced |= quoted;
        return isUnbalanced && line.IndexOf(',') is >= 0 and var comma ? comma : line.Length;
    }
}

/// <summary>Appends this node to CDN-Loop.</summary>
internal sealed class CdnLoopTransform(string name) : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        AddHeader(context, CdnLoop.Field, FieldList.Append(TakeHeader(context, CdnLoop.Field), name));
        return default;
    }
}
