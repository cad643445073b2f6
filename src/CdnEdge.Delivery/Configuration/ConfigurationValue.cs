using System.Globalization;

namespace CdnEdge.Delivery.Configuration;

/// <summary>Reads single values of a configuration, which are all text.</summary>
internal static class ConfigurationValue
{
    /// <returns>Whether values of this type are written as one text.</returns>
    internal static bool IsScalar(Type type) =>
        type.IsEnum || type.IsPrimitive || type == typeof(string) || type == typeof(TimeSpan) || type == typeof(Uri) || type == typeof(Version);

    /// <param name="type">A type that <see cref="IsScalar"/>.</param>
    /// <param name="text">The configured value.</param>
    /// <param name="mistake">What is wrong with it and what would be right; null if it was read.</param>
    internal static object? Read(Type type, string text, out string? mistake)
    {
        var (value, expected) = Parse(type, text);
        mistake = value is null ? $"'{text}' is not {expected}" : null;
        return value;
    }

    private static (object? Value, string Expected) Parse(Type type, string text)
    {
        if (type == typeof(string))
            return (text, "");
        if (type == typeof(bool))
            return (bool.TryParse(text, out var b) ? b : null, "true or false");
        if (type == typeof(int))
            return (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var i) ? i : null, "a whole number");
        if (type == typeof(long))
            return (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var l) ? l : null, "a whole number");
        if (type == typeof(double))
            return (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var d) && double.IsFinite(d) ? d : null, "a number");
        if (type == typeof(TimeSpan))
            return ParseDuration(text);
        if (type == typeof(Uri))
            return (Uri.TryCreate(text, UriKind.Absolute, out var uri) ? uri : null, "an absolute URL");
        if (type == typeof(Version))
            return (Version.TryParse(text.Contains('.', StringComparison.Ordinal) ? text : text + ".0", out var v) ? v : null, "a version such as 1.1 or 2");
        if (type.IsEnum)
        {
            // By name only: Enum.TryParse takes numbers and lists of names, too.
            var name = Enum.GetNames(type).FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
            return (name is null ? null : Enum.Parse(type, name), $"one of {string.Join(", ", Enum.GetNames(type))}");
        }

        throw new ArgumentException($"{type} is no type of a single value.", nameof(type));
    }

    private static (object? Value, string Expected) ParseDuration(string text)
    {
        // .NET reads a bare number as days, which nobody means who writes "MaxTtl": 60.
        if (text.Length is > 0 and < 8 && text.All(char.IsAsciiDigit))
        {
            var number = int.Parse(text, CultureInfo.InvariantCulture);
            return (null, $"a duration; write {TimeSpan.FromSeconds(number):c} for {number} seconds, {TimeSpan.FromDays(number):c} for days");
        }

        return (
            TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var duration) ? duration : null,
            "a duration; write [days.]hours:minutes:seconds, such as 00:10:00");
    }
}
