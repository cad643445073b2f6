namespace CdnEdge.Control;

/// <summary>The part of <see cref="AdminOptions"/> that may change while the node runs: tokens and the rate.</summary>
internal sealed class AdminInForce
{
    private State _state;

    internal AdminInForce(AdminOptions options) => _state = State.Of(options);

    internal AdminCallers Callers => Volatile.Read(ref _state).Callers;

    internal int RequestsPerSecond => Volatile.Read(ref _state).RequestsPerSecond;

    /// <summary>Puts checked options in force: a token that is gone is refused from here on.</summary>
    internal void Apply(AdminOptions options) => Volatile.Write(ref _state, State.Of(options));

    private sealed record State(AdminCallers Callers, int RequestsPerSecond)
    {
        internal static State Of(AdminOptions options) => new(new AdminCallers(options), options.RequestsPerSecond);
    }
}
