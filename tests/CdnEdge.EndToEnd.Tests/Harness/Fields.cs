using System.Globalization;

namespace CdnEdge.EndToEnd.Tests.Harness;

/// <summary>The header (or trailer) fields of a message, in order, as they came.</summary>
internal sealed class Fields
{
    private readonly List<(string Name, string Value)> _fields;

    internal Fields(IEnumerable<string> lines) => _fields = [.. lines.Select(line =>
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].Trim());
    })];

    /// <summary>The values of all lines of the name, joined as RFC 9110 §5.3 has it; null: there is none.</summary>
    internal string? this[string name]
    {
        get
        {
            var values = All(name);
            return values.Count == 0 ? null : string.Join(", ", values);
        }
    }

    internal IReadOnlyList<string> All(string name) =>
        [.. _fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];

    internal bool Has(string name) => All(name).Count > 0;

    internal long? Number(string name) =>
        long.TryParse(this[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    public override string ToString() => string.Join('\n', _fields.Select(field => $"{field.Name}: {field.Value}"));
}
