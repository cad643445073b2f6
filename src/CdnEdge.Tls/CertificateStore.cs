using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Tls;

/// <summary>
/// The certificates of all sites, read again when their files change. Nothing that happens to a file takes a site down: what can't
/// be read leaves the certificate that is in force in force.
/// </summary>
internal sealed partial class CertificateStore : IDisposable
{
    /// <summary>How often the files are looked at.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>A file that was written to so recently may be written to still: it waits for the next look.</summary>
    internal static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);

    /// <summary>A pair that has gone stays in force for so long: tools that renew may take the old away first.</summary>
    internal static readonly TimeSpan Farewell = TimeSpan.FromSeconds(30);

    /// <summary>The meter's name, for OpenTelemetry's AddMeter.</summary>
    internal const string MeterName = "CdnEdge.Tls";

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly TlsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Meter _meter;
    private readonly Lock _looking = new();
    private readonly Dictionary<CertificateFiles, Pair> _pairs = [];
    private CertificateIndex _index = CertificateIndex.Empty;
    private SiteCertificate? _development;
    private string? _folderMistake;
    private ITimer? _timer;

    /// <summary>Reads all there is. What can't be read is told by the log.</summary>
    internal CertificateStore(TlsOptions options, TimeProvider time, IMeterFactory meters, ILogger log)
    {
        (_options, _time, _log) = (options, time, log);
        _meter = meters.Create(MeterName);
        _meter.CreateObservableGauge("cdnedge.tls.certificate.time_left", Measure, "s", "Until the end of a certificate; negative: it has ended.");
        Look(isFirst: true);
    }

    /// <summary>The certificates in force.</summary>
    internal CertificateIndex Index => Volatile.Read(ref _index);

    /// <summary>Begins to look at the files now and then.</summary>
    internal void Watch() => _timer ??= _time.CreateTimer(static store => ((CertificateStore)store!).LookAgain(), this, Interval, Interval);

    public void Dispose()
    {
        _timer?.Dispose();
        _meter.Dispose();
    }

    /// <summary>Looks at all files, and puts in force what has changed.</summary>
    internal void LookAgain() => Look(isFirst: false);

    private void Look(bool isFirst)
    {
        lock (_looking)
        {
            var now = _time.GetUtcNow();
            var hasChanged = isFirst;
            var files = ListAll();
            foreach (var one in files)
            {
                if (!_pairs.TryGetValue(one, out var pair))
                    _pairs[one] = pair = new Pair();
                pair.SeenAt = now;
                hasChanged |= Refresh(one, pair, now, isFirst);
            }

            foreach (var (one, pair) in _pairs.Where(known => now - known.Value.SeenAt > Farewell).ToList())
            {
                _pairs.Remove(one);
                hasChanged |= pair.Certificate is not null;
                if (pair.Certificate is { } gone)
                    Log.Gone(_log, one.Certificate!, string.Join(", ", gone.Names));
            }

            if (hasChanged || (_development is { } development && development.NotAfter - now < Day))
            {
                var inOrder = files.Concat(_pairs.Keys.Except(files)).Select(one => _pairs[one].Certificate).OfType<SiteCertificate>();
                Publish([.. inOrder], now);
            }

            foreach (var pair in _pairs.Values)
                WarnOfEnd(pair, now);
        }
    }

    private IEnumerable<Measurement<double>> Measure() =>
        Index.All.Select(certificate => new Measurement<double>(
            (certificate.NotAfter - _time.GetUtcNow()).TotalSeconds, new KeyValuePair<string, object?>("cdnedge.names", string.Join(",", certificate.Names))));

    private void Publish(SiteCertificate[] all, DateTimeOffset now)
    {
        if (all.Length > 0)
        {
            _development = null;
            Volatile.Write(ref _index, new CertificateIndex(all, _options.DefaultHost, now));
            return;
        }

        // Everybody gets it, whatever the name: to try things out is all it's for.
        _development = SiteCertificate.ForDevelopment(now);
        Volatile.Write(ref _index, CertificateIndex.OfOne(_development));
        Log.Development(_log);
    }

    /// <summary>The pairs that are there; of a folder that can't be read, those that were.</summary>
    private List<CertificateFiles> ListAll()
    {
        var files = new List<CertificateFiles>(_options.Certificates);
        if (_options.Folder is not { } folder)
            return files;
        try
        {
            files.AddRange(CertificateFolder.Pairs(folder));
            _folderMistake = null;
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            if (_folderMistake != e.Message)
                Log.FolderKept(_log, folder, e.Message);
            _folderMistake = e.Message;
            files.AddRange(_pairs.Keys);
        }

        return [.. files.Distinct()];
    }

    /// <summary>Reads a pair that has changed. True: there's another certificate now.</summary>
    private bool Refresh(CertificateFiles files, Pair pair, DateTimeOffset now, bool isFirst)
    {
        var stamp = Stamp.Of(files);
        if (stamp == pair.Stamp)
            return false;
        if (!isFirst && now - stamp.Latest < Settling && now >= stamp.Latest)
            return false;
        pair.Stamp = stamp;
        try
        {
            var isNew = pair.Certificate is null;
            pair.Certificate = SiteCertificate.Read(files, _options.OcspStapling);
            pair.WarnedAt = null;
            if (isNew)
                Log.Read(_log, files.Certificate!, string.Join(", ", pair.Certificate.Names), pair.Certificate.NotAfter);
            else
                Log.Renewed(_log, files.Certificate!, string.Join(", ", pair.Certificate.Names), pair.Certificate.NotAfter);
            return true;
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            if (pair.Certificate is { } kept)
                Log.Kept(_log, files.Certificate!, e.Message, string.Join(", ", kept.Names));
            else
                Log.Unusable(_log, files.Certificate!, e.Message);
            return false;
        }
    }

    private void WarnOfEnd(Pair pair, DateTimeOffset now)
    {
        if (pair.Certificate is not { } certificate || certificate.NotAfter - now > _options.ExpiryWarning || now - pair.WarnedAt < Day)
            return;
        pair.WarnedAt = now;
        if (certificate.NotAfter <= now)
            Log.Expired(_log, certificate.Files.Certificate!, string.Join(", ", certificate.Names), certificate.NotAfter);
        else
            Log.Expires(_log, certificate.Files.Certificate!, string.Join(", ", certificate.Names), certificate.NotAfter, (int)(certificate.NotAfter - now).TotalDays);
    }

    /// <summary>When files were written last, and how long they are.</summary>
    private readonly record struct Stamp(DateTime Certificate, long Length, DateTime Key, long KeyLength)
    {
        private static readonly Stamp Unreadable = new(default, -1, default, -1);

        internal DateTimeOffset Latest => new(Certificate > Key ? Certificate : Key, TimeSpan.Zero);

        internal static Stamp Of(CertificateFiles files)
        {
            try
            {
                return Of(Target(files.Certificate!), Target(files.Key ?? files.Certificate!));
            }
            catch (Exception e) when (PemFiles.IsMistakeInFile(e))
            {
                return Unreadable; // Reading it says why.
            }
        }

        private static Stamp Of(FileInfo certificate, FileInfo key) =>
            new(certificate.LastWriteTimeUtc, certificate.Length, key.LastWriteTimeUtc, key.Length);

        // Of a link what counts is where it leads: Kubernetes renews a secret by turning a link to a folder further up.
        private static FileInfo Target(string file) => new(File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? file);
    }

    private sealed class Pair
    {
        internal Stamp Stamp { get; set; }

        internal SiteCertificate? Certificate { get; set; }

        internal DateTimeOffset SeenAt { get; set; }

        internal DateTimeOffset? WarnedAt { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Certificate {File} for {Names}, valid until {Until:u}", EventName = "CertificateRead")]
        internal static partial void Read(ILogger logger, string file, string names, DateTimeOffset until);

        [LoggerMessage(2, LogLevel.Information, "Certificate {File} for {Names} is a new one, valid until {Until:u}", EventName = "CertificateRenewed")]
        internal static partial void Renewed(ILogger logger, string file, string names, DateTimeOffset until);

        [LoggerMessage(3, LogLevel.Warning, "Certificate {File} has changed but can't be used ({Reason}): {Names} keep the one they have", EventName = "CertificateKept")]
        internal static partial void Kept(ILogger logger, string file, string reason, string names);

        [LoggerMessage(4, LogLevel.Error, "Certificate {File} can't be used: {Reason}", EventName = "CertificateUnusable")]
        internal static partial void Unusable(ILogger logger, string file, string reason);

        [LoggerMessage(5, LogLevel.Warning, "Certificate {File} for {Names} is gone", EventName = "CertificateGone")]
        internal static partial void Gone(ILogger logger, string file, string names);

        [LoggerMessage(6, LogLevel.Warning, "The folder of certificates {Folder} can't be read ({Reason}): what was read before stays in force", EventName = "CertificateFolderKept")]
        internal static partial void FolderKept(ILogger logger, string folder, string reason);

        [LoggerMessage(7, LogLevel.Warning, "Certificate {File} for {Names} ends on {Until:u}, in {Days} days", EventName = "CertificateExpires")]
        internal static partial void Expires(ILogger logger, string file, string names, DateTimeOffset until, int days);

        [LoggerMessage(9, LogLevel.Warning, "No certificate: clients get a self-signed one made for this run, which browsers don't trust. Put PEM pairs into CdnEdge:Tls:Folder, or name them in CdnEdge:Tls:Certificates", EventName = "CertificateForDevelopment")]
        internal static partial void Development(ILogger logger);

        [LoggerMessage(8, LogLevel.Error, "Certificate {File} for {Names} ended on {Until:u}: clients refuse it", EventName = "CertificateExpired")]
        internal static partial void Expired(ILogger logger, string file, string names, DateTimeOffset until);
    }
}
