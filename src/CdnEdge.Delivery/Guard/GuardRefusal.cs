using Microsoft.AspNetCore.Http;

namespace CdnEdge.Delivery.Guard;

/// <summary>Why a request goes no further.</summary>
/// <param name="StatusCode">The answer's status.</param>
/// <param name="Reason">A sentence for the client: what was wrong with its request.</param>
/// <param name="CloseConnection">Where the next request begins is in doubt, so there is no next one (<c>Connection: close</c>).</param>
internal readonly record struct GuardRefusal(int StatusCode, string Reason, bool CloseConnection)
{
    /// <summary>The refusal of a request at whose framing nobody has looked: nothing behind a body is taken for a request.</summary>
    internal static GuardRefusal Of(HttpRequest request, int statusCode, string reason) => new(statusCode, reason, FramingGuard.MayHaveBody(request));
}
