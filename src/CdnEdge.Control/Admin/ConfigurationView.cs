using System.Text.Json.Nodes;

namespace CdnEdge.Control;

/// <summary>The configuration for people to look at: as nested JSON, without its secrets.</summary>
internal static class ConfigurationView
{
    internal const string Redacted = "(redacted)";

    /// <summary>The rest of a longer path is one name: a writer of JSON gives up at 1000, and no option stands so deep.</summary>
    private const int MaxDepth = 64;

    private static readonly string[] SecretWords = ["password", "secret", "token", "credential", "apikey", "connection", "hash"];
    private static readonly string[] SecretFields = ["auth", "cookie", "token", "key", "secret", "password"];

    internal static JsonObject Of(IEnumerable<KeyValuePair<string, string?>> values)
    {
        var root = new JsonObject();
        var all = values.Where(static value => value.Value is not null).OrderBy(static value => value.Key, StringComparer.OrdinalIgnoreCase).ToList();
        var secretTransforms = all
            .Where(static value => LastOf(value.Key) is "requestheader" or "responseheader" or "queryvalueparameter"
                && SecretFields.Any(word => value.Value!.Contains(word, StringComparison.OrdinalIgnoreCase)))
            .Select(static value => value.Key[..(value.Key.LastIndexOf(':') + 1)])
            .ToList();
        foreach (var (key, value) in all)
        {
            var isSecret = IsSecret(key)
                || (LastOf(key) is "set" or "append" && secretTransforms.Any(prefix => key.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)));
            Add(root, key.Split(':', MaxDepth), isSecret && value!.Length > 0 ? Redacted : WithoutUserInfo(value!));
        }

        return root;
    }

    private static void Add(JsonObject root, string[] path, string value)
    {
        var at = root;
        foreach (var name in path[..^1])
        {
            if (at[name] is not JsonObject next)
                at[name] = next = [];
            at = next;
        }

        at[path[^1]] = value;
    }

    // What a name says of its value. The names of tokens and of the cookies that a policy looks at are none.
    private static bool IsSecret(string key) =>
        IsSecretWord(LastOf(key))
        || key.StartsWith("CdnEdge:Redis:Keys", StringComparison.OrdinalIgnoreCase)
        || (key.StartsWith("CdnEdge:Sites:", StringComparison.OrdinalIgnoreCase) && key.Contains(":Tokens:Keys:", StringComparison.OrdinalIgnoreCase))
        || (key.StartsWith("CdnEdge:Clusters:", StringComparison.OrdinalIgnoreCase) && LastOf(key) == "proofkey")
        || (key.StartsWith("CdnEdge:Peering:", StringComparison.OrdinalIgnoreCase) && LastOf(key).EndsWith("key", StringComparison.Ordinal))
        || key.Split(':').Any(static name => name.EndsWith("password", StringComparison.OrdinalIgnoreCase) || name.EndsWith("secret", StringComparison.OrdinalIgnoreCase));

    private static bool IsSecretWord(string name) => SecretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string LastOf(string key) => key[(key.LastIndexOf(':') + 1)..].ToLowerInvariant();

    private static string WithoutUserInfo(string value)
    {
        var authority = value.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0)
            return value;
        authority += 3;
        var end = value.AsSpan(authority).IndexOfAny('/', '?', '#');
        var at = (end < 0 ? value.AsSpan(authority) : value.AsSpan(authority, end)).LastIndexOf('@');
        return at < 0 ? value : string.Concat(value.AsSpan(0, authority), Redacted, value.AsSpan(authority + at));
    }
}
