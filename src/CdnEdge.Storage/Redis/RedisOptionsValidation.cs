using System.Globalization;
using CdnEdge.Caching;
using StackExchange.Redis;

namespace CdnEdge.Storage.Redis;

/// <summary>Finds every mistake in the options of the Redis tier, each named by its configuration path.</summary>
internal static class RedisOptionsValidation
{
    /// <param name="path">Where the options stand: <c>CdnEdge:Redis</c>.</param>
    /// <param name="options">The options.</param>
    internal static IReadOnlyList<string> Errors(string path, RedisOptions options)
    {
        var errors = new PolicyErrors(path);
        if (options.Connection is not null)
            CheckConnection(options.Connection, errors);
        if (errors.IsThere(nameof(options.Prefix), options.Prefix) && !IsPrefix(options.Prefix))
            errors.Add(nameof(options.Prefix), options.Prefix, "1 to 64 letters, digits, '-', '_', '.' and ':'");
        CheckDuration(nameof(options.Timeout), options.Timeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10), errors);
        CheckDuration(nameof(options.MaxAge), options.MaxAge, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365), errors);
        if (options.MaxObjectBytes is < 0 or > RedisRecord.MaxBytes)
            errors.Add(nameof(options.MaxObjectBytes), options.MaxObjectBytes.ToString(CultureInfo.InvariantCulture), $"a number of bytes from 0 to {RedisRecord.MaxBytes}");
        if (errors.IsThere(nameof(options.Keys), options.Keys))
            KeyRing.Read(options, errors);
        return errors.All;
    }

    // The value isn't repeated: it may hold a password.
    private static void CheckConnection(string connection, PolicyErrors errors)
    {
        try
        {
            if (ConfigurationOptions.Parse(connection).EndPoints.Count == 0)
                errors.Add(nameof(RedisOptions.Connection), "(not shown)", "at least one address, such as 127.0.0.1:6379");
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException)
        {
            errors.Add(nameof(RedisOptions.Connection), "(not shown)", "host:port[,host:port...][,option=value...] as StackExchange.Redis reads it, such as 127.0.0.1:6379,password=...");
        }
    }

    private static void CheckDuration(string name, TimeSpan value, TimeSpan least, TimeSpan most, PolicyErrors errors)
    {
        if (value < least || value > most)
            errors.Add(name, value.ToString("c", CultureInfo.InvariantCulture), $"a duration from {least:c} to {most:c}");
    }

    // No braces: what stands in them decides the slot of a cluster.
    private static bool IsPrefix(string prefix) =>
        prefix.Length is >= 1 and <= 64 && prefix.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':');
}
