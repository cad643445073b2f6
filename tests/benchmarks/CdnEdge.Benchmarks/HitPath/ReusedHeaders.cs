using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace CdnEdge.Benchmarks.HitPath;

/// <summary>
/// Header fields that can be cleared and filled again without allocating; like Kestrel's, and unlike
/// <see cref="HeaderDictionary"/>, it keeps Content-Length as a number.
/// </summary>
internal sealed class ReusedHeaders : IHeaderDictionary
{
    private readonly Dictionary<string, StringValues> _fields = new(32, StringComparer.OrdinalIgnoreCase);

    public long? ContentLength { get; set; }

    public ICollection<string> Keys => [.. this.Select(pair => pair.Key)];

    public ICollection<StringValues> Values => [.. this.Select(pair => pair.Value)];

    public int Count => _fields.Count + (ContentLength is null ? 0 : 1);

    public bool IsReadOnly => false;

    public StringValues this[string key]
    {
        get => TryGetValue(key, out var value) ? value : StringValues.Empty;
        set
        {
            if (IsContentLength(key))
                ContentLength = value.Count == 0 ? null : long.Parse(value.ToString(), CultureInfo.InvariantCulture);
            else if (value.Count == 0)
                _fields.Remove(key);
            else
                _fields[key] = value;
        }
    }

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out StringValues value)
    {
        if (!IsContentLength(key)) return _fields.TryGetValue(key, out value);
        value = ContentLength is { } length ? length.ToString(CultureInfo.InvariantCulture) : StringValues.Empty;
        return ContentLength is not null;
    }

    public bool ContainsKey(string key) => IsContentLength(key) ? ContentLength is not null : _fields.ContainsKey(key);

    public void Add(string key, StringValues value)
    {
        if (ContainsKey(key)) throw new ArgumentException($"{key} is there already.", nameof(key));
        this[key] = value;
    }

    public bool Remove(string key)
    {
        if (!IsContentLength(key)) return _fields.Remove(key);
        var had = ContentLength is not null;
        ContentLength = null;
        return had;
    }

    public void Clear()
    {
        _fields.Clear();
        ContentLength = null;
    }

    public IEnumerator<KeyValuePair<string, StringValues>> GetEnumerator()
    {
        foreach (var field in _fields) yield return field;
        if (TryGetValue("Content-Length", out var length)) yield return new KeyValuePair<string, StringValues>("Content-Length", length);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public void CopyTo(KeyValuePair<string, StringValues>[] array, int arrayIndex)
    {
        foreach (var field in this) array[arrayIndex++] = field;
    }

    void ICollection<KeyValuePair<string, StringValues>>.Add(KeyValuePair<string, StringValues> item) => Add(item.Key, item.Value);

    bool ICollection<KeyValuePair<string, StringValues>>.Contains(KeyValuePair<string, StringValues> item) =>
        TryGetValue(item.Key, out var value) && value == item.Value;

    bool ICollection<KeyValuePair<string, StringValues>>.Remove(KeyValuePair<string, StringValues> item) =>
        TryGetValue(item.Key, out var value) && value == item.Value && Remove(item.Key);

    private static bool IsContentLength(string key) => string.Equals(key, "Content-Length", StringComparison.OrdinalIgnoreCase);
}
