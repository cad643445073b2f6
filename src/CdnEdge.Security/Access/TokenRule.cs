using CdnEdge.Caching;
using CdnEdge.Delivery.Guard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Security;

/// <summary>
/// Lets only those to some paths who have a token: in the query or in a cookie. The token is taken out of the request before anything else sees it:
/// one stored response serves all who have one, and neither origin nor log learns it.
/// </summary>
internal sealed class TokenRule(TokenOptions options)
{
    private readonly ProtectedPaths _paths = new(options.Paths, []);
    private readonly Dictionary<string, byte[]> _keys = options.Keys.ToDictionary(static key => key.Key, static key => Convert.FromBase64String(key.Value), StringComparer.Ordinal);

    /// <summary>The query's parameter and the cookie.</summary>
    internal string Name => options.Name;

    internal IEnumerable<string> KeyIds => _keys.Keys;

    /// <summary>The key to sign with: the one of this id, or the only one. Null: there's none, or there are several.</summary>
    internal string? KeyFor(string? id) => id is null ? _keys.Count == 1 ? _keys.Keys.Single() : null : _keys.ContainsKey(id) ? id : null;

    /// <inheritdoc cref="AccessToken.Sign"/>
    internal string Sign(string keyId, DateTimeOffset expires, string host, string? prefix, string target) =>
        AccessToken.Sign(keyId, _keys[keyId], expires, SiteTable.NameOf(host), prefix, target);

    /// <summary>Null: it gets through, without its token.</summary>
    internal GuardRefusal? Refuse(HttpContext context, DateTimeOffset now)
    {
        var request = context.Request;
        var inQuery = TakeFromQuery(request);
        var inCookie = TakeFromCookies(request.Headers);
        if (!_paths.Cover(request.Path))
            return null;

        var target = TargetOf(request);
        var why = "This URL takes a token, and has none.";
        foreach (var text in new[] { inQuery, inCookie })
        {
            if (text is null)
                continue;
            if (MistakeIn(text, request, target, now) is not { } mistake)
                return null;
            why = mistake;
        }

        return GuardRefusal.Of(request, StatusCodes.Status403Forbidden, why);
    }

    /// <summary>What a token for one URL covers: path and query, in one spelling, without the token.</summary>
    internal static string TargetOf(HttpRequest request) => EscapedPath.PathOf(request).ToUriComponent() + request.QueryString.ToUriComponent();

    private string? MistakeIn(string text, HttpRequest request, string target, DateTimeOffset now)
    {
        // Not told apart: who guesses learns nothing.
        if (!AccessToken.TryParse(text, out var token)
            || !_keys.TryGetValue(token.KeyId, out var key)
            || !token.IsBy(key, SiteTable.NameOf(request.Host.Value), target)
            || (token.Prefix is { } prefix && !EscapedPath.PathOf(request).ToUriComponent().StartsWith(prefix, StringComparison.Ordinal)))
        {
            return "The token is not for this URL.";
        }

        return token.Expires <= now.ToUnixTimeSeconds() ? "The token has run out." : null;
    }

    private string? TakeFromQuery(HttpRequest request)
    {
        if (request.QueryString.Value?.Contains(options.Name, StringComparison.Ordinal) != true)
            return null;
        var pairs = request.QueryString.Value[1..].Split('&').ToList();
        var token = Take(pairs);
        request.QueryString = pairs.Count == 0 ? QueryString.Empty : new QueryString("?" + string.Join('&', pairs));
        return token;
    }

    private string? TakeFromCookies(IHeaderDictionary headers)
    {
        if (headers.Cookie.Count == 0 || !headers.Cookie.ToString().Contains(options.Name, StringComparison.Ordinal))
            return null;
        var pairs = headers.Cookie.SelectMany(static line => (line ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).ToList();
        var token = Take(pairs);
        headers.Cookie = pairs.Count == 0 ? default : new StringValues(string.Join("; ", pairs));
        return token;
    }

    /// <summary>The first token of some pairs (<c>NAME=VALUE</c>); all of them are gone then.</summary>
    private string? Take(List<string> pairs)
    {
        var beginning = options.Name + "=";
        var first = pairs.Find(pair => pair.StartsWith(beginning, StringComparison.Ordinal));
        pairs.RemoveAll(pair => pair.StartsWith(beginning, StringComparison.Ordinal));
        return first?[beginning.Length..];
    }
}
