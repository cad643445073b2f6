using System.Globalization;
using System.Text;

namespace CdnEdge.FaultyOrigin;

/// <summary>The head of a request, as far as this origin reads it.</summary>
internal sealed class Request
{
    private readonly Dictionary<string, string> _fields = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _query = new(StringComparer.Ordinal);

    private Request(string method, string path)
    {
        Method = method;
        Path = path;
    }

    internal string Method { get; }

    /// <summary>Without the query.</summary>
    internal string Path { get; }

    internal bool IsHead => Method == "HEAD";

    internal string? Field(string name) => _fields.GetValueOrDefault(name);

    internal string? Query(string name) => _query.GetValueOrDefault(name);

    internal int? Number(string name) =>
        int.TryParse(Query(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <param name="head">All lines, the empty one not needed.</param>
    /// <returns>Null: that isn't HTTP/1.</returns>
    internal static Request? Parse(ReadOnlySpan<byte> head)
    {
        var lines = Encoding.Latin1.GetString(head).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0].Split(' ') is not [var method, ['/', ..] target, ['H', 'T', 'T', 'P', '/', '1', '.', ..]])
            return null;
        var question = target.IndexOf('?', StringComparison.Ordinal);
        var request = new Request(method, question < 0 ? target : target[..question]);
        foreach (var line in lines.AsSpan(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0)
                return null;
            request._fields[line[..colon]] = line[(colon + 1)..].Trim();
        }

        if (question >= 0)
        {
            foreach (var pair in target[(question + 1)..].Split('&'))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                request._query[equals < 0 ? pair : pair[..equals]] = equals < 0 ? "" : pair[(equals + 1)..];
            }
        }

        return request;
    }
}
