using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// Redirects from http to https (or back) of one URL. Both have one key: stored, such an answer would send those in circles who came
/// by the other scheme.
/// </summary>
internal static class SchemeRedirect
{
    /// <param name="target">The request's URL.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="headers">The response's fields.</param>
    internal static bool Is(Uri target, int status, IHeaderDictionary headers) =>
        status is >= StatusCodes.Status300MultipleChoices and < StatusCodes.Status400BadRequest
        && headers.Location is [{ } location]
        && Uri.TryCreate(target, location, out var to)
        && to.Scheme != target.Scheme
        && to.PathAndQuery.Equals(target.PathAndQuery, StringComparison.Ordinal)
        && to.Host.Equals(target.Host, StringComparison.OrdinalIgnoreCase);
}
