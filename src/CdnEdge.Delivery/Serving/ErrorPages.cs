using System.Collections.Concurrent;

namespace CdnEdge.Delivery.Serving;

/// <summary>The sites' own error pages: files, read again when they change.</summary>
internal sealed class ErrorPages
{
    private const int MaxBytes = 256 * 1024;

    private readonly ConcurrentDictionary<string, Page> _pages = new(StringComparer.Ordinal);

    /// <summary>The page; null where it can't be read now. That it can is checked before it's configured.</summary>
    internal Page? Find(string path)
    {
        try
        {
            var changed = File.GetLastWriteTimeUtc(path);
            if (_pages.TryGetValue(path, out var page) && page.Changed == changed)
                return page;
            page = new Page(File.ReadAllBytes(path), TypeOf(path), changed);
            _pages[path] = page;
            return page;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It was there: better the old one than none.
            return _pages.GetValueOrDefault(path);
        }
    }

    /// <summary>What is wrong with the file; null: nothing.</summary>
    internal static string? MistakeIn(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            return file.Length > MaxBytes ? $"'{path}' has {file.Length} bytes; at most {MaxBytes}"
                : file.Length == 0 ? $"'{path}' is empty"
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return $"'{path}' can't be read: {exception.Message}";
        }
    }

    private static string TypeOf(string path) => Path.GetExtension(path).ToUpperInvariant() switch
    {
        ".TXT" => "text/plain; charset=utf-8",
        ".JSON" => "application/json",
        _ => "text/html; charset=utf-8",
    };

    internal sealed record Page(byte[] Body, string ContentType, DateTime Changed);
}
