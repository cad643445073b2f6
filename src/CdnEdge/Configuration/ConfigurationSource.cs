using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.Configuration.Json;

namespace CdnEdge.Configuration;

/// <summary>
/// Where a configuration comes from: the file, over it the environment, over that the flags. A list given in a higher
/// place replaces the lower one's; it isn't merged item by item.
/// </summary>
internal sealed class ConfigurationSource
{
    internal const string ListenKey = "CdnEdge:Listen";
    internal const string OriginKey = "CdnEdge:Origin";
    internal const string AdminListenKey = "CdnEdge:Admin:Listen";
    internal const string RedisKey = "CdnEdge:Redis:Connection";

    private static readonly string[] Sections = ["CdnEdge", "ReverseProxy", "Logging"];

    private readonly Dictionary<string, string?> _environment = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string?> _flags = new(StringComparer.OrdinalIgnoreCase);

    private ConfigurationSource(string? file) => File = file;

    /// <summary>The path of the file. Null: there is none.</summary>
    internal string? File { get; }

    /// <summary>What messages call it.</summary>
    internal string Name => File ?? "command line";

    internal static ConfigurationSource From(string? config, string? origin, IReadOnlyList<string> listen, IDictionary environment, string? admin = null, string? redis = null)
    {
        var variables = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry variable in environment)
        {
            var key = ((string)variable.Key).Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal);
            if (Sections.Any(s => key.StartsWith(s + ConfigurationPath.KeyDelimiter, StringComparison.OrdinalIgnoreCase)))
                variables[key] = variable.Value as string;
        }

        variables.Remove("CdnEdge:Config", out var configured);
        var source = new ConfigurationSource(config ?? (string.IsNullOrEmpty(configured) ? null : configured));
        foreach (var (key, value) in variables)
            source._environment[key] = value;
        if (origin is not null)
            source._flags[OriginKey] = origin;
        if (admin is not null)
            source._flags[AdminListenKey] = admin;
        if (redis is not null)
            source._flags[RedisKey] = redis;
        for (var i = 0; i < listen.Count; i++)
            source._flags[$"{ListenKey}:{i}"] = listen[i];
        return source;
    }

    /// <returns>What the file holds now; no content, with the reason, if it can't be read.</returns>
    internal FileContent ReadFile()
    {
        if (File is null)
            return default;
        try
        {
            return new(System.IO.File.ReadAllBytes(File), null);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(null, "there is no such file");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(null, $"can't be read: {e.Message}");
        }
    }

    /// <summary>All values by configuration path.</summary>
    /// <param name="content">What the file holds.</param>
    /// <param name="mistake">What is wrong with the file's syntax, with the line; null if nothing is.</param>
    internal Dictionary<string, string?> Values(FileContent content, out string? mistake)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        mistake = content.Unreadable;
        if (content.Bytes is { } bytes)
        {
            try
            {
                foreach (var (key, value) in JsonValues.Of(bytes))
                    values[key] = value;
            }
            catch (JsonException e)
            {
                mistake = $"not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {WithoutPosition(e.Message)}";
            }
            catch (FormatException e)
            {
                mistake = e.Message;
            }
            catch (InvalidOperationException)
            {
                // What .NET says of such a text when it's asked for it: to the parser it was valid.
                mistake = "not valid JSON: half of a surrogate pair (\\ud800 to \\udfff) in a text is no character";
            }
        }

        Overlay(values, _environment);
        Overlay(values, _flags);
        return values;
    }

    private static void Overlay(Dictionary<string, string?> values, Dictionary<string, string?> above)
    {
        const string listenItems = ListenKey + ":";
        if (above.Keys.Any(k => k.StartsWith(listenItems, StringComparison.OrdinalIgnoreCase)))
        {
            values.Remove(ListenKey);
            foreach (var key in values.Keys.Where(k => k.StartsWith(listenItems, StringComparison.OrdinalIgnoreCase)).ToList())
                values.Remove(key);
        }

        foreach (var (key, value) in above)
            values[key] = value;
    }

    private static string WithoutPosition(string message) =>
        message.IndexOf(" LineNumber:", StringComparison.Ordinal) is var at and >= 0 ? message[..at] : message;

    /// <summary>What a file holds, or why that isn't known; neither if there's no file.</summary>
    internal readonly record struct FileContent(byte[]? Bytes, string? Unreadable);

    /// <summary>.NET's own reading of JSON configuration: comments and trailing commas are allowed, duplicate keys aren't.</summary>
    private sealed class JsonValues(JsonStreamConfigurationSource source) : JsonStreamConfigurationProvider(source)
    {
        internal static IDictionary<string, string?> Of(byte[] json)
        {
            var provider = new JsonValues(new JsonStreamConfigurationSource { Stream = new MemoryStream(json) });
            provider.Load();
            return provider.Data;
        }
    }
}
