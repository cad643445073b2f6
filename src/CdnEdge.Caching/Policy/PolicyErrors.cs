using System.Globalization;

namespace CdnEdge.Caching;

/// <summary>The mistakes of one section of the configuration; each says where, what was found, and what would be valid.</summary>
internal sealed class PolicyErrors
{
    private readonly string _path;
    private readonly List<string> _all;

    internal PolicyErrors(string path)
        : this(path, [])
    {
    }

    private PolicyErrors(string path, List<string> all)
    {
        _path = path;
        _all = all;
    }

    internal IReadOnlyList<string> All => _all;

    /// <summary>The same list, for a section below.</summary>
    internal PolicyErrors Under(string section) => new($"{_path}:{section}", _all);

    internal void Add(string name, string value, string valid) => _all.Add($"{_path}:{name}: '{value}' is not valid; expected {valid}.");

    /// <summary>Code may set to null what configuration can't.</summary>
    internal bool IsThere(string name, object? value)
    {
        if (value is null)
            _all.Add($"{_path}:{name}: is null; leave it out for its default.");
        return value is not null;
    }

    internal void NotNegative(string name, TimeSpan? duration)
    {
        if (duration < TimeSpan.Zero)
            Add(name, duration.Value.ToString("c", CultureInfo.InvariantCulture), "a duration that isn't negative, such as 00:05:00");
    }

    internal void Defined<T>(string name, T value)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            Add(name, value.ToString(), string.Join(", ", Enum.GetNames<T>()));
    }

    /// <summary>Checks the members of a list, each named by its index as configuration names it.</summary>
    internal void Each(string name, IList<string>? values, Func<string, bool> isValid, string valid)
    {
        if (!IsThere(name, values))
            return;

        for (var i = 0; i < values!.Count; i++)
        {
            if (values[i] is null || !isValid(values[i]))
                Add(string.Create(CultureInfo.InvariantCulture, $"{name}:{i}"), values[i] ?? "null", valid);
        }
    }
}
