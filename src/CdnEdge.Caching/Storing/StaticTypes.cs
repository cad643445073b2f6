using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace CdnEdge.Caching;

/// <summary>
/// Which Content-Types files with a static extension have: where both disagree, the path was made up to have another page stored
/// (Omer Gil, "Web Cache Deception Attack", 2017).
/// </summary>
internal static class StaticTypes
{
    // A type, or the beginning of several.
    private static readonly FrozenDictionary<string, string[]> ByExtension = new (string Extensions, string[] Types)[]
    {
        ("css", ["text/css"]),
        ("js mjs cjs", ["text/javascript", "application/javascript", "application/x-javascript", "application/ecmascript", "text/ecmascript"]),
        ("wasm", ["application/wasm"]),
        ("map json", ["application/json", "text/json", "application/manifest+json", "application/ld+json"]),
        ("webmanifest", ["application/manifest+json", "application/json"]),
        ("avif bmp gif ico jfif jpeg jpg png svg svgz tif tiff webp jxl heic cur", ["image/"]),
        ("woff woff2 ttf otf eot", ["font/", "application/font-", "application/x-font-", "application/vnd.ms-fontobject", "application/vnd.ms-opentype"]),
        ("mp3 m4a aac ogg oga opus flac wav weba mid midi", ["audio/", "application/ogg"]),
        ("mp4 m4v webm ogv mov avi mkv mpg mpeg ts flv 3gp", ["video/", "application/ogg", "text/vnd.trolltech.linguist"]),
        ("m3u8", ["application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl", "audio/x-mpegurl"]),
        ("mpd", ["application/dash+xml"]),
        ("pdf", ["application/pdf"]),
        ("txt", ["text/plain"]),
        ("csv", ["text/csv", "text/plain", "application/csv"]),
        ("doc docx xls xlsx ppt pptx odt ods odp rtf", ["application/", "text/rtf"]),
        ("zip gz tgz tar bz2 xz zst br 7z rar jar apk dmg exe msi iso bin deb rpm pkg", ["application/"]),
        ("swf class ps eps ejs pict pls", ["application/", "image/", "audio/"]),
    }
    .SelectMany(static entry => entry.Extensions.Split(' '), static (entry, extension) => (extension, entry.Types))
    .ToFrozenDictionary(static pair => pair.extension, static pair => pair.Types, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, string[]>.AlternateLookup<ReadOnlySpan<char>> BySpan =
        ByExtension.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>
    /// True unless the path has a static extension and the response is a success of another type. No type at all is another one,
    /// <c>application/octet-stream</c> is any file's; HTML, JSON and XML pass for no archive or document.
    /// </summary>
    /// <param name="path">The request's path, decoded.</param>
    /// <param name="status">The response's status: errors and redirects have bodies of their own.</param>
    /// <param name="headers">The response's fields.</param>
    internal static bool Agree(PathString path, int status, IHeaderDictionary headers)
    {
        if (status is < 200 or >= 300 || !BySpan.TryGetValue(ExtensionOf(path.Value), out var types))
            return true;

        var type = MediaType.Of(headers.ContentType);
        if (type.Equals("application/octet-stream", StringComparison.OrdinalIgnoreCase))
            return true;

        foreach (var wanted in types)
        {
            if (wanted is "application/" ? IsOpaque(type) : wanted.EndsWith('/') || wanted.EndsWith('-') ? type.StartsWith(wanted, StringComparison.OrdinalIgnoreCase) : type.Equals(wanted, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        return false;
    }

    private static bool IsOpaque(ReadOnlySpan<char> type) =>
        type.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
        && !type.EndsWith("json", StringComparison.OrdinalIgnoreCase)
        && !type.EndsWith("xml", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whatever stands before the dot: a slash, a semicolon, a line break, a question mark that was encoded.</summary>
    private static ReadOnlySpan<char> ExtensionOf(ReadOnlySpan<char> path)
    {
        var dot = path.LastIndexOf('.');
        return dot < 0 ? default : path[(dot + 1)..];
    }
}
