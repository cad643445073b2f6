namespace CdnEdge.Caching;

/// <summary>The types of structured fields (RFC 9651 §3).</summary>
internal enum SfKind
{
    Integer,
    Decimal,
    String,
    Token,
    ByteSequence,
    Boolean,
    Date,
    DisplayString,
    InnerList,
}

/// <summary>A value of a structured field. Its parameters are parsed and forgotten: nothing here reads them.</summary>
/// <param name="Kind">Its type.</param>
/// <param name="Number">
/// An Integer's or Date's value, a Decimal's in thousandths, 1 or 0 for a Boolean, the number of members of an Inner List.
/// </param>
/// <param name="Text">A String's or Display String's text, a Token, the base64 of a Byte Sequence.</param>
internal readonly record struct SfItem(SfKind Kind, long Number, string? Text)
{
    internal static SfItem True => new(SfKind.Boolean, 1, null);

    internal bool IsTrue => Kind == SfKind.Boolean && Number == 1;
}
