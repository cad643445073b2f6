namespace CdnEdge.Storage;

/// <summary>What a purge does to what it names.</summary>
internal enum PurgeMode
{
    /// <summary>Gone: as if it had never been stored.</summary>
    Hard,

    /// <summary>Stale from now on: usable under the stale rules, and revalidated.</summary>
    Soft,
}

/// <summary>What the purges so far mean for an object.</summary>
internal enum PurgeVerdict
{
    /// <summary>None concerns it.</summary>
    Valid,

    /// <summary>A soft purge does, or something that isn't known any more may.</summary>
    Stale,

    /// <summary>A hard purge does.</summary>
    Gone,
}
