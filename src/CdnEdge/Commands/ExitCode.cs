namespace CdnEdge.Commands;

/// <summary>What scripts are told; a contract of the command line.</summary>
internal static class ExitCode
{
    /// <summary>It was done.</summary>
    internal const int Done = 0;

    /// <summary>The call was right, but it failed: an address in use, a file that vanished.</summary>
    internal const int Failed = 1;

    /// <summary>The call or the configuration was wrong.</summary>
    internal const int Wrong = 2;
}
