using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CdnEdge.Control;

/// <summary>Writes down every change that was asked for: who, what, from where, and what came of it.</summary>
/// <remarks>
/// A line in the log and, where a file is configured, a line of JSON in that, flushed. When the file can't be written
/// (a full disk), the change goes ahead and the log says so: a wrong page has to go even then.
/// </remarks>
internal sealed partial class AuditLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly ILogger<AuditLog> _logger;
    private readonly FileStream? _file;

    /// <exception cref="IOException">The file can't be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    internal AuditLog(string? path, TimeProvider time, ILogger<AuditLog> logger)
    {
        (_time, _logger) = (time, logger);
        if (path is not null)
            _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    /// <param name="context">The call.</param>
    /// <param name="what">What was asked for: <c>purge</c>, <c>drain</c>.</param>
    /// <param name="outcome">What came of it.</param>
    /// <param name="id">The purge's id.</param>
    /// <param name="request">What was to be purged.</param>
    internal void Write(HttpContext context, string what, string outcome, string? id = null, PurgeBody? request = null)
    {
        var entry = new AuditEntry(
            _time.GetUtcNow(), AdminCaller.Of(context)?.Name ?? "", context.Connection.RemoteIpAddress?.ToString() ?? "", what, outcome, id, request);
        Log.Change(_logger, entry.Who, entry.From, what, outcome, id ?? "-");
        if (_file is null)
            return;
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(entry, AdminJson.Default.AuditEntry), (byte)'\n'];
        try
        {
            lock (_gate)
                _file.Write(line);
        }
        catch (IOException e)
        {
            Log.NotWritten(_logger, _file.Name, Encoding.UTF8.GetString(line).TrimEnd(), e);
        }
    }

    public void Dispose() => _file?.Dispose();

    private static partial class Log
    {
        [LoggerMessage(210, LogLevel.Information, "admin: {Who} from {From}: {What}: {Outcome} ({Id})")]
        internal static partial void Change(ILogger logger, string who, string from, string what, string outcome, string id);

        [LoggerMessage(211, LogLevel.Error, "admin: the audit file {File} can't be written; the line was {Line}")]
        internal static partial void NotWritten(ILogger logger, string file, string line, Exception exception);
    }
}

/// <summary>A line of the audit file.</summary>
internal sealed record AuditEntry(DateTimeOffset At, string Who, string From, string What, string Outcome, string? Id, PurgeBody? Request);
