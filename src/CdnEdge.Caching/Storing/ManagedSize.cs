using System.Runtime.CompilerServices;

namespace CdnEdge.Caching;

/// <summary>
/// What objects take on the heap of a 64-bit .NET. Strings that the process shares anyway cost nothing; those that
/// stored heads happen to share are charged to each of them, so the estimate errs upwards.
/// </summary>
internal static class ManagedSize
{
    /// <summary>Object header and method table.</summary>
    private const int Object = 16;

    /// <summary>Header, method table, length.</summary>
    private const int Array = 24;

    /// <summary>Instance fields of <see cref="StoredHead"/>, measured by a test.</summary>
    internal const int Head = Object + 200;

    /// <summary>Instance fields of <see cref="SurrogateTags"/>.</summary>
    internal const int Tags = Object + 16;

    /// <summary>Instance fields of <see cref="ResponseDirectives"/>, measured by a test.</summary>
    internal const int Directives = Object + 96;

    /// <summary>A head's, but for its variance and tags.</summary>
    internal static int Of(HeaderField[] fields, HeaderField[] withheld, ResponseDirectives directives) =>
        // The entity-tag's text is the field's string.
        Head + Of(fields) + (withheld.Length == 0 ? 0 : Of(withheld)) + Of(directives);

    private static int Of(HeaderField[] fields)
    {
        var size = Array + fields.Length * Unsafe.SizeOf<HeaderField>();
        foreach (var field in fields)
        {
            size += OfString(field.Name);
            if (field.Value.Count > 1)
                size += Array + field.Value.Count * IntPtr.Size;
            for (var i = 0; i < field.Value.Count; i++)
                size += OfString(field.Value[i]);
        }

        return size;
    }

    /// <summary>The names of a <see cref="SurrogateTags"/>.</summary>
    internal static int OfTags(string[] names) => Of((IReadOnlyList<string>)names);

    /// <summary>22 bytes and two for each UTF-16 unit, to the next 8.</summary>
    internal static int OfString(string? text) =>
        text is null || WellKnownFields.IsPermanent(text) ? 0 : (22 + 2 * text.Length + 7) & ~7;

    private static int Of(ResponseDirectives directives)
    {
        if (ReferenceEquals(directives, ResponseDirectives.None))
            return 0;
        return Directives + Of(directives.NoCacheFields) + Of(directives.PrivateFields);
    }

    private static int Of(IReadOnlyList<string> names)
    {
        if (names.Count == 0)
            return 0;
        var size = Array + names.Count * IntPtr.Size;
        for (var i = 0; i < names.Count; i++)
            size += OfString(names[i]);
        return size;
    }
}
