using System.Text.Json;

namespace CdnEdge.Control;

/// <summary>The ledger of a node that has no Redis: a file beside the log, replaced whole.</summary>
/// <exception cref="IOException">It can't be read.</exception>
internal sealed class FilePurgeLedger : IPurgeLedger
{
    private readonly string _path;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PeerState> _peers;
    private KeyValuePair<string, long>[] _nodes = [];

    /// <param name="path">The file; made when there is something to keep. One that isn't readable counts as none: all is sent again.</param>
    internal FilePurgeLedger(string path)
    {
        _path = Path.GetFullPath(path);
        _peers = Load();
    }

    public Task ReportAsync(string node, long position, CancellationToken cancellation)
    {
        _nodes = [new(node, position)];
        return Task.CompletedTask;
    }

    public Task<IReadOnlyDictionary<string, long>> NodesAsync(CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyDictionary<string, long>>(new Dictionary<string, long>(_nodes));

    public Task<bool> TryLeadAsync(string peer, string node, TimeSpan lease, CancellationToken cancellation) => Task.FromResult(true);

    public Task<PeerState?> PeerAsync(string peer, CancellationToken cancellation)
    {
        lock (_gate)
            return Task.FromResult(_peers.GetValueOrDefault(peer));
    }

    public Task SetPeerAsync(string peer, PeerState state, CancellationToken cancellation)
    {
        lock (_gate)
        {
            _peers[peer] = state;
            try
            {
                Save();
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new PurgeLogUnavailableException($"{_path} can't be written: {exception.Message}", exception);
            }
        }

        return Task.CompletedTask;
    }

    private Dictionary<string, PeerState> Load()
    {
        try
        {
            return File.Exists(_path) ? JsonSerializer.Deserialize(File.ReadAllBytes(_path), PurgeJson.Default.DictionaryStringPeerState) ?? [] : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private void Save()
    {
        var aside = _path + ".new";
        using (var file = new FileStream(aside, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, _peers, PurgeJson.Default.DictionaryStringPeerState);
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, _path, overwrite: true);
    }
}
