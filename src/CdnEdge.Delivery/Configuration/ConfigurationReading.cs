using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace CdnEdge.Delivery.Configuration;

/// <summary>
/// Reads options from configuration and names everything that it can't make sense of: unknown keys, wrong types, lists
/// where a value belongs. Unlike .NET's binder it goes on after a mistake, and a configured list replaces the default
/// one (the binder would append to it: <c>"Methods": ["GET"]</c> would mean GET, HEAD, POST, GET).
/// </summary>
internal static class ConfigurationReading
{
    private const BindingFlags Readable = BindingFlags.Public | BindingFlags.Instance;

    /// <summary>Sets the properties of the targets from a section.</summary>
    /// <param name="section">The section; its keys are the names of properties, case-insensitively.</param>
    /// <param name="mistakes">Receives what is wrong. The properties concerned keep their values.</param>
    /// <param name="targets">Objects that share the section. A key belongs to each that has a property of this name.</param>
    internal static void Into(IConfiguration section, ICollection<ConfigurationMistake> mistakes, params object[] targets)
    {
        foreach (var child in section.GetChildren())
        {
            var found = false;
            foreach (var target in targets)
            {
                if (Property(target.GetType(), child.Key) is { } property)
                {
                    found = true;
                    var value = Read(property.PropertyType, child, property.GetValue(target), mistakes);
                    if (value is not null)
                        property.SetValue(target, value);
                }
            }

            if (!found)
            {
                var names = targets.SelectMany(t => Properties(t.GetType()).Select(p => p.Name)).Distinct();
                mistakes.Add(new(child.Path, "unknown key" + NearestName.Hint(child.Key, names), IsUnknownKey: true));
            }
        }
    }

    /// <returns>A new <typeparamref name="T"/> with what the section says.</returns>
    internal static T New<T>(IConfiguration section, ICollection<ConfigurationMistake> mistakes)
        where T : new()
    {
        var value = new T();
        Into(section, mistakes, value);
        return value;
    }

    /// <returns>The value to set; null: keep the present one.</returns>
    private static object? Read(Type declared, IConfigurationSection section, object? present, ICollection<ConfigurationMistake> mistakes)
    {
        var type = Nullable.GetUnderlyingType(declared) ?? declared;
        if (ConfigurationValue.IsScalar(type))
            return ReadScalar(type, section, mistakes);
        if (ItemOfDictionary(type) is { } valueType)
            return ReadDictionary(valueType, section, present, mistakes);
        if (ItemOfList(type) is { } itemType)
            return ReadList(type, itemType, section, mistakes);
        return ReadObject(type, section, present, mistakes);
    }

    private static object? ReadScalar(Type type, IConfigurationSection section, ICollection<ConfigurationMistake> mistakes)
    {
        if (section.GetChildren().Any())
        {
            // Flags (YARP's SslProtocols) are written as a list of their names.
            if (type.IsEnum && type.IsDefined(typeof(FlagsAttribute)))
            {
                long all = 0;
                foreach (var item in section.GetChildren())
                    all |= Convert.ToInt64(ReadScalar(type, item, mistakes) ?? 0, System.Globalization.CultureInfo.InvariantCulture);
                return Enum.ToObject(type, all);
            }

            mistakes.Add(new(section.Path, "a single value belongs here, not a list or an object"));
            return null;
        }

        if (section.Value is not { } text)
            return null;
        var value = ConfigurationValue.Read(type, text, out var mistake);
        if (mistake is not null)
            mistakes.Add(new(section.Path, mistake));
        return value;
    }

    private static object? ReadObject(Type type, IConfigurationSection section, object? present, ICollection<ConfigurationMistake> mistakes)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            mistakes.Add(new(section.Path, $"an object belongs here, not '{section.Value}'" + Known(type)));
            return null;
        }

        var value = present ?? Activator.CreateInstance(type)!;
        Into(section, mistakes, value);
        return value;
    }

    private static object? ReadDictionary(Type valueType, IConfigurationSection section, object? present, ICollection<ConfigurationMistake> mistakes)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            mistakes.Add(new(section.Path, $"an object of names and values belongs here, not '{section.Value}'"));
            return null;
        }

        var dictionary = present as IDictionary
            ?? (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), valueType), StringComparer.OrdinalIgnoreCase)!;
        foreach (var child in section.GetChildren())
        {
            if (Read(valueType, child, dictionary[child.Key], mistakes) is { } value)
                dictionary[child.Key] = value;
        }

        return dictionary;
    }

    private static object? ReadList(Type type, Type itemType, IConfigurationSection section, ICollection<ConfigurationMistake> mistakes)
    {
        // An empty list in JSON arrives as empty text.
        if (!string.IsNullOrEmpty(section.Value))
        {
            mistakes.Add(new(section.Path, $"a list belongs here: [\"{section.Value}\"] in JSON, {section.Path.Replace(":", "__", StringComparison.Ordinal)}__0 in the environment"));
            return null;
        }

        if (section.Value is null && !section.GetChildren().Any())
            return null;
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(itemType))!;
        var isObject = false;
        foreach (var child in section.GetChildren())
        {
            if (!int.TryParse(child.Key, out _))
            {
                mistakes.Add(new(child.Path, "a list belongs here, not an object"));
                isObject = true;
            }
            else if (Read(itemType, child, null, mistakes) is { } value)
            {
                list.Add(value);
            }
        }

        if (isObject)
            return null;
        if (!type.IsArray)
            return list;
        var array = Array.CreateInstance(itemType, list.Count);
        list.CopyTo(array, 0);
        return array;
    }

    private static string Known(Type type) => $"; its keys are: {string.Join(", ", Properties(type).Select(p => p.Name))}";

    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(Readable).Where(p => p.CanWrite && p.GetIndexParameters().Length == 0);

    private static PropertyInfo? Property(Type type, string key) =>
        Properties(type).FirstOrDefault(p => p.Name.Equals(key, StringComparison.OrdinalIgnoreCase));

    private static Type? ItemOfDictionary(Type type) =>
        type.IsGenericType && type.GetGenericArguments() is [var key, var value] && key == typeof(string)
        && (type.GetGenericTypeDefinition() == typeof(IDictionary<,>)
            || type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)
            || type.GetGenericTypeDefinition() == typeof(Dictionary<,>))
            ? value
            : null;

    private static Type? ItemOfList(Type type) =>
        type.IsArray ? type.GetElementType()
        : type.IsGenericType && type.GetGenericArguments() is [var item] && type.IsAssignableFrom(typeof(List<>).MakeGenericType(item)) ? item
        : null;
}
