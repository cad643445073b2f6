using System.Buffers;
using CdnEdge.Caching;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Fields that an origin would stumble over, whatever it would answer: names that are none, control characters (RFC 9110 §5.5;
/// HTTP/2 carries any octet, and Kestrel lets most of them pass), more than origins take.
/// </summary>
internal static class FieldGuard
{
    // All but the tab.
    private static readonly SearchValues<char> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Append(0x7F).Where(static c => c != '\t').Select(static c => (char)c)]);

    /// <param name="request">The request.</param>
    /// <param name="maxBytes">The most that a field may have, all its lines together.</param>
    internal static GuardRefusal? Inspect(HttpRequest request, int maxBytes)
    {
        foreach (var (name, lines) in request.Headers)
        {
            if (!Token.IsToken(name))
            {
                return new GuardRefusal(StatusCodes.Status400BadRequest, "A field's name is none.", CloseConnection: true);
            }

            var size = 0;
            for (var i = 0; i < lines.Count; i++)
            {
                var line = lines[i].AsSpan();
                size += line.Length;
                if (line.ContainsAny(Controls))
                {
                    return new GuardRefusal(StatusCodes.Status400BadRequest, $"The field {name} has a control character.", CloseConnection: true);
                }
            }

            if (size > maxBytes)
            {
                return GuardRefusal.Of(
                    request, StatusCodes.Status431RequestHeaderFieldsTooLarge, $"The field {name} has {size} bytes; {maxBytes} are forwarded at most.");
            }
        }

        return null;
    }
}
