using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using CdnEdge.Tls;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>
/// TLS of the admin API: the certificate from its files, read again when they change, and the authority of the callers' own ones.
/// </summary>
internal sealed partial class AdminTls
{
    private readonly AdminTlsOptions _options;
    private readonly ILogger _log;
    private readonly ClientAuthorities? _authorities;
    private readonly Lock _reading = new();
    private State _state;

    /// <param name="options">Checked ones (<see cref="Errors"/>).</param>
    /// <param name="log">Where a renewed certificate is told, and one that can't be read.</param>
    internal AdminTls(AdminTlsOptions options, ILogger log)
    {
        (_options, _log) = (options, log);
        _authorities = options.ClientCa is { } file ? new ClientAuthorities(file) : null;
        _state = State.Read(options);
    }

    /// <summary>Every mistake, by its path.</summary>
    /// <param name="path">Where the options stand: <c>CdnEdge:Admin:Tls</c>.</param>
    /// <param name="options">The options.</param>
    internal static IEnumerable<string> Errors(string path, AdminTlsOptions options)
    {
        if (options.Certificate is null)
            yield return $"{path}:Certificate: missing; a file of the certificate and its chain in PEM, such as /etc/cdnedge/admin.pem";
        else if (MistakeIn(options) is { } mistake)
            yield return $"{path}:Certificate: {mistake}";
        if (options.ClientCa is { } file && ClientAuthorities.MistakeIn(file) is { } wrong)
            yield return $"{path}:ClientCa: {wrong}";
    }

    /// <summary>How Kestrel is to do it.</summary>
    internal HttpsConnectionAdapterOptions ForKestrel() => new()
    {
        ServerCertificateSelector = (_, _) => Current().Certificate,
        OnAuthenticate = (_, tls) =>
        {
            // With the chain up to the root, which a selector can't hand over.
            tls.ServerCertificateSelectionCallback = null;
            tls.ServerCertificateContext = Current().Context;
        },
        ClientCertificateMode = _authorities is not null ? ClientCertificateMode.AllowCertificate : ClientCertificateMode.NoCertificate,
        ClientCertificateValidation = (certificate, chain, _) => _authorities!.Vouch(certificate, chain),
    };

    // Asked for with each connection: two looks at a file's time cost nothing beside a handshake, and nothing has to watch.
    private State Current()
    {
        var state = Volatile.Read(ref _state);
        if (state.Stamp == State.StampOf(_options))
            return state;
        lock (_reading)
        {
            var stamp = State.StampOf(_options);
            if (_state.Stamp == stamp)
                return _state;
            try
            {
                Volatile.Write(ref _state, State.Read(_options));
                Log.Renewed(_log, _options.Certificate!);
            }
            catch (Exception e) when (PemFiles.IsMistakeInFile(e))
            {
                // Half written, perhaps: the one in force stays, and the files are looked at again when they change.
                Volatile.Write(ref _state, _state with { Stamp = stamp });
                Log.Kept(_log, _options.Certificate!, e.Message);
            }

            return _state;
        }
    }

    private static string? MistakeIn(AdminTlsOptions options)
    {
        try
        {
            State.Read(options);
            return null;
        }
        catch (Exception e) when (PemFiles.IsMistakeInFile(e))
        {
            return $"can't be used: {e.Message}";
        }
    }

    private sealed record State(X509Certificate2 Certificate, SslStreamCertificateContext Context, (DateTime, DateTime) Stamp)
    {
        internal static State Read(AdminTlsOptions options)
        {
            var stamp = StampOf(options);
            var (certificate, chain) = PemFiles.ReadPair(options.Certificate!, options.Key);
            return new State(certificate, SslStreamCertificateContext.Create(certificate, chain, offline: true), stamp);
        }

        internal static (DateTime, DateTime) StampOf(AdminTlsOptions options) =>
            (File.GetLastWriteTimeUtc(options.Certificate!), File.GetLastWriteTimeUtc(options.Key ?? options.Certificate!));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The admin API has a new certificate from {File}.", EventName = "AdminCertificateRenewed")]
        internal static partial void Renewed(ILogger logger, string file);

        [LoggerMessage(2, LogLevel.Warning, "{File} has changed but can't be used ({Reason}): the admin API keeps the certificate that it has.", EventName = "AdminCertificateKept")]
        internal static partial void Kept(ILogger logger, string file, string reason);
    }
}

/// <summary>The section <c>CdnEdge:Admin:Tls</c>; read at start only, the certificate's files whenever they change.</summary>
internal sealed class AdminTlsOptions
{
    /// <summary>A PEM file of the certificate and, after it, those up to the root.</summary>
    public string? Certificate { get; set; }

    /// <summary>A PEM file of its key. Null: in the same file.</summary>
    public string? Key { get; set; }

    /// <summary>A PEM file of the authorities that issue the callers' certificates. Null: callers have none.</summary>
    public string? ClientCa { get; set; }
}
