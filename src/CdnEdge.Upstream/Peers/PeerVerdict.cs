namespace CdnEdge.Upstream.Peers;

/// <summary>What a request is, as far as its field <c>CdnEdge-Peer</c> tells.</summary>
internal enum PeerVerdict
{
    /// <summary>It has no such field: a visitor's.</summary>
    NotAPeer,

    /// <summary>Another node's.</summary>
    Accepted,

    /// <summary>The field isn't what a node would send.</summary>
    Malformed,

    /// <summary>Signed with another key, or changed on its way.</summary>
    BadSignature,

    /// <summary>The clocks of the two nodes are too far apart, or the request is an old one sent again.</summary>
    ClockOff,

    /// <summary>It has been through this node before, or through another one with this node's id.</summary>
    LoopsBack,

    /// <summary>It has been through as many nodes as may ask each other.</summary>
    TooManyHops,
}

/// <summary>What is wrong with an answer that should be another node's.</summary>
internal enum PeerFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>It isn't signed: no node answered, or one that refused the request.</summary>
    Unsigned,

    /// <summary>The field isn't what a node would send.</summary>
    Malformed,

    /// <summary>Signed with another key, an answer to another request, or changed on its way.</summary>
    BadSignature,

    /// <summary>The clocks of the two nodes are too far apart.</summary>
    ClockOff,

    /// <summary>This node answered itself, or one with the same id.</summary>
    OwnId,

    /// <summary>What it says of the time since its fetch can't be true.</summary>
    BadFetchTime,

    /// <summary>Its Age is no number of seconds, or more than anything is kept.</summary>
    BadAge,
}
