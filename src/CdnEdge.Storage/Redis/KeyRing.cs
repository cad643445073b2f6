using CdnEdge.Caching;

namespace CdnEdge.Storage.Redis;

/// <summary>The keys by their ids. Objects name the key that they were written with, so that keys can change while they're there.</summary>
internal sealed class KeyRing
{
    /// <summary>Bytes of a key: AES-256.</summary>
    internal const int KeyBytes = 32;

    private const int MaxIdLength = 32;

    private readonly Dictionary<string, byte[]> _keys;

    private KeyRing(Dictionary<string, byte[]> keys, string active)
    {
        _keys = keys;
        ActiveId = active;
    }

    /// <summary>The id of the key that writes; empty where nothing is encrypted.</summary>
    internal string ActiveId { get; }

    /// <summary>No keys: what is written is plain, and what is encrypted can't be read.</summary>
    internal static KeyRing Plaintext { get; } = new([], "");

    /// <summary>Null: unknown.</summary>
    internal byte[]? Find(string id) => _keys.GetValueOrDefault(id);

    /// <summary>The configured ring; null where there's none, or a mistake, which goes to <paramref name="errors"/>.</summary>
    internal static KeyRing? Read(RedisOptions options, PolicyErrors errors)
    {
        if (options.KeyFile is not null && options.Keys.Count > 0)
        {
            errors.Add(nameof(options.KeyFile), options.KeyFile, $"either {nameof(options.KeyFile)} or {nameof(options.Keys)}, not both");
            return null;
        }

        var mistakes = errors.All.Count;
        string? first = null;
        var keys = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (where, id, value) in options.KeyFile is { } file ? Lines(file, errors) : options.Keys.Select(static k => ($"Keys:{k.Key}", k.Key, (string?)k.Value)))
        {
            first ??= id;
            Add(keys, where, id, value, errors);
        }

        if (errors.All.Count > mistakes)
            return null;
        if (keys.Count == 0)
        {
            if (options.ActiveKey is not null)
                errors.Add(nameof(options.ActiveKey), options.ActiveKey, $"the id of a key, but there are none in {nameof(options.Keys)} or {nameof(options.KeyFile)}");
            return null;
        }

        return Choose(options, keys, first!, errors);
    }

    private static KeyRing? Choose(RedisOptions options, Dictionary<string, byte[]> keys, string first, PolicyErrors errors)
    {
        // Configuration sorts by name, so of several none is the first; a file has an order.
        if (options.ActiveKey is null && (keys.Count == 1 || options.KeyFile is not null))
            return new KeyRing(keys, first);
        if (options.ActiveKey is { } active && keys.ContainsKey(active))
            return new KeyRing(keys, active);
        errors.Add(nameof(options.ActiveKey), options.ActiveKey ?? "", $"the id of the key that writes: {string.Join(", ", keys.Keys.Order(StringComparer.Ordinal))}");
        return null;
    }

    private static void Add(Dictionary<string, byte[]> keys, string where, string id, string? value, PolicyErrors errors)
    {
        if (id.Length is 0 or > MaxIdLength || !id.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
        {
            errors.Add(where, id, "a key's id of 1 to 32 letters, digits, '-' or '_'");
            return;
        }

        // Not the value: it's a secret, even with a slip in it.
        var key = new byte[KeyBytes];
        if (value is null || !IsBase64(value, key))
            errors.Add(where, "(not shown)", "32 bytes in base64, as 'openssl rand -base64 32' makes them");
        else if (!keys.TryAdd(id, key))
            errors.Add(where, id, "each id once");
    }

    private static bool IsBase64(string value, byte[] key) =>
        value.Length <= 2 * KeyBytes && Convert.TryFromBase64String(value, key, out var written) && written == KeyBytes;

    private static List<(string Where, string Id, string? Key)> Lines(string file, PolicyErrors errors)
    {
        try
        {
            var found = new List<(string, string, string?)>();
            var number = 0;
            foreach (var line in File.ReadLines(file))
            {
                number++;
                if (line.AsSpan().TrimStart() is [] or ['#', ..])
                    continue;
                var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
                found.Add(($"KeyFile (line {number})", words[0], words.Length == 2 ? words[1] : null));
            }

            if (found.Count == 0)
                errors.Add("KeyFile", file, "a file with a line 'id key' for each key");
            return found;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            errors.Add("KeyFile", file, $"a file that can be read ({exception.Message})");
            return [];
        }
    }
}
