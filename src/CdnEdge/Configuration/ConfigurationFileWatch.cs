using System.Security.Cryptography;
using CdnEdge.Control;

namespace CdnEdge.Configuration;

/// <summary>
/// Reads the file every second and puts it in force when it has changed, stands still, and is valid. Comparing the
/// content, rather than asking the file system for events, works for every way in which files change: written in place,
/// replaced by renaming, behind a link that moves (Kubernetes), on network and container file systems without events.
/// </summary>
internal sealed partial class ConfigurationFileWatch(
    ConfigurationSource source,
    ConfigurationSource.FileContent first,
    ValidatedConfiguration configuration,
    ReviewedConfiguration inForce,
    TimeProvider time,
    ILogger<ConfigurationFileWatch> logger) : BackgroundService
{
    /// <summary>Sections that are read when the node starts, and not again.</summary>
    private static readonly string[] ReadAtStart = ["CdnEdge:Acme", "CdnEdge:Admin:Tls", "CdnEdge:Forwarding", "CdnEdge:Limits", "CdnEdge:Peering", "CdnEdge:Purge", "CdnEdge:PurgeMethod", "CdnEdge:Redis", "CdnEdge:Tls"];

    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Never disposed of: a look may be under way when the host is, and there's nothing in it to give back.
    private readonly SemaphoreSlim _looking = new(1, 1);

    private string _judged = Fingerprint(first);
    private string? _moving;
    private ReviewedConfiguration _inForce = inForce;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await LookAsync();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    /// <summary>Reads the file now, whether or not it has changed or stands still: somebody said that it's done.</summary>
    internal async Task<ReloadOutcome> ReloadAsync()
    {
        await _looking.WaitAsync();
        try
        {
            return await JudgeAsync(source.ReadFile());
        }
        finally
        {
            _looking.Release();
        }
    }

    /// <summary>One look at the file.</summary>
    internal async Task LookAsync()
    {
        await _looking.WaitAsync();
        try
        {
            await LookAloneAsync();
        }
        finally
        {
            _looking.Release();
        }
    }

    private async Task LookAloneAsync()
    {
        var content = source.ReadFile();
        var fingerprint = Fingerprint(content);
        if (fingerprint == _judged)
        {
            _moving = null;
            return;
        }

        // A writer may be in the middle of it: wait for two looks that see the same.
        if (fingerprint != _moving)
        {
            _moving = fingerprint;
            return;
        }

        await JudgeAsync(content);
    }

    private async Task<ReloadOutcome> JudgeAsync(ConfigurationSource.FileContent content)
    {
        (_judged, _moving) = (Fingerprint(content), null);
        var reviewed = await ConfigurationReview.OfAsync(source, content);
        foreach (var warning in reviewed.Warnings)
            Log.Warning(logger, reviewed.Name, warning);
        if (!reviewed.IsValid)
        {
            foreach (var mistake in reviewed.Errors)
                Log.Mistake(logger, reviewed.Name, mistake);
            Log.Kept(logger, reviewed.Name, reviewed.Errors.Count);
            return new ReloadOutcome(Applied: false, reviewed.Contents, reviewed.Errors, []);
        }

        var needsRestart = NeedRestart(reviewed).ToList();
        foreach (var key in needsRestart)
            Log.NeedsRestart(logger, reviewed.Name, key);
        Apply(reviewed);
        return new ReloadOutcome(Applied: true, reviewed.Contents, [], needsRestart);
    }

    private IEnumerable<string> NeedRestart(ReviewedConfiguration reviewed)
    {
        if (!reviewed.Listen.SequenceEqual(_inForce.Listen))
            yield return ConfigurationSource.ListenKey;
        if (reviewed.AdminListen != _inForce.AdminListen)
            yield return ConfigurationSource.AdminListenKey;
        if (reviewed.Admin.AuditFile != _inForce.Admin.AuditFile)
            yield return "CdnEdge:Admin:AuditFile";
        if (reviewed.Cache.Memory.MaxBytes != _inForce.Cache.Memory.MaxBytes)
            yield return "CdnEdge:Memory:MaxBytes";
        if (reviewed.Cache.Name != _inForce.Cache.Name)
            yield return "CdnEdge:Name";
        foreach (var section in ReadAtStart.Where(section => !Under(section, reviewed).SetEquals(Under(section, _inForce))))
            yield return section;
    }

    private static HashSet<KeyValuePair<string, string?>> Under(string section, ReviewedConfiguration reviewed) =>
        [.. reviewed.Values.Where(value => value.Key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase))];

    private void Apply(ReviewedConfiguration reviewed)
    {
        _inForce = reviewed;
        try
        {
            configuration.Apply(reviewed);
            Log.Applied(logger, reviewed.Name, reviewed.Contents);
        }
        catch (AggregateException e)
        {
            // Somebody who was told of the change threw; the others were told nevertheless.
            Log.NotTakenUp(logger, reviewed.Name, e);
        }
    }

    private static string Fingerprint(ConfigurationSource.FileContent content) =>
        content.Bytes is { } bytes ? Convert.ToHexString(SHA256.HashData(bytes)) : content.Unreadable ?? "";

    private static partial class Log
    {
        [LoggerMessage(10, LogLevel.Information, "{File}: the new configuration is in force ({Contents})")]
        internal static partial void Applied(ILogger logger, string file, string contents);

        [LoggerMessage(11, LogLevel.Error, "{File}: {Mistake}")]
        internal static partial void Mistake(ILogger logger, string file, string mistake);

        [LoggerMessage(12, LogLevel.Error, "{File}: the new configuration has {Count} mistake(s) and is not used; the running one stays in force")]
        internal static partial void Kept(ILogger logger, string file, int count);

        [LoggerMessage(13, LogLevel.Warning, "{File}: {Warning}")]
        internal static partial void Warning(ILogger logger, string file, string warning);

        [LoggerMessage(14, LogLevel.Warning, "{File}: {Key} has changed, which takes a restart")]
        internal static partial void NeedsRestart(ILogger logger, string file, string key);

        [LoggerMessage(15, LogLevel.Error, "{File}: the new configuration was not taken up everywhere")]
        internal static partial void NotTakenUp(ILogger logger, string file, Exception exception);
    }
}
