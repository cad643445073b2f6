using System.Text;

namespace CdnEdge.Delivery.Guard;

/// <summary>
/// Decodes two request fields of which Kestrel keeps less than was sent, at the one place where their octets can still be
/// seen: as the encoding that Kestrel asks for by field name.
/// </summary>
internal abstract class RequestFieldEncoding : Encoding
{
    /// <summary>
    /// Content-Length. Kestrel keeps only the number, and its parser takes <c>+6</c>, which is no length to RFC 9110 §8.6.
    /// Here anything but a digit becomes something that no parser takes.
    /// </summary>
    internal static Encoding ContentLength { get; } = new DigitsOnly();

    /// <summary>
    /// Connection. Kestrel replaces a field with exactly one option that it knows by that option alone, and the fields
    /// that the sender nominated beside it would go to the origin (RFC 9110 §7.6.1). Here such a field loses its
    /// <c>keep-alive</c> (the default), or gets one beside its <c>close</c> or <c>upgrade</c> (which outweigh it).
    /// </summary>
    internal static Encoding Connection { get; } = new AllOptions();

    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => charCount;

    private sealed class DigitsOnly : RequestFieldEncoding
    {
        public override int GetMaxCharCount(int byteCount) => byteCount;

        public override int GetCharCount(byte[] bytes, int index, int count) => count;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            // Kestrel has room for twenty; a longer one is no length that a long holds.
            var count = Math.Min(bytes.Length, chars.Length);
            for (var i = 0; i < count; i++)
            {
                chars[i] = char.IsAsciiDigit((char)bytes[i]) && bytes.Length <= chars.Length ? (char)bytes[i] : '?';
            }

            return count;
        }
    }

    private sealed class AllOptions : RequestFieldEncoding
    {
        private const string Addition = ", keep-alive";

        public override int GetMaxCharCount(int byteCount) => byteCount + Addition.Length;

        public override int GetCharCount(byte[] bytes, int index, int count) => Decode(bytes.AsSpan(index, count)).Length;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        {
            var text = Decode(bytes.AsSpan(byteIndex, byteCount));
            text.CopyTo(chars.AsSpan(charIndex));
            return text.Length;
        }

        public override int GetCharCount(ReadOnlySpan<byte> bytes) => Decode(bytes).Length;

        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            var text = Decode(bytes);
            text.CopyTo(chars);
            return text.Length;
        }

        private static string Decode(ReadOnlySpan<byte> bytes)
        {
            var text = Latin1.GetString(bytes);
            if (!text.Contains(',', StringComparison.Ordinal))
            {
                return text;
            }

            var options = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            var known = options.Where(IsKnown).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
            if (known.Length != 1 || Array.TrueForAll(options, IsKnown))
            {
                return text;
            }

            return known[0].Equals("keep-alive", StringComparison.OrdinalIgnoreCase)
                ? string.Join(", ", options.Where(static option => !IsKnown(option)))
                : text + Addition;
        }

        private static bool IsKnown(string option) =>
            option.Equals("close", StringComparison.OrdinalIgnoreCase)
            || option.Equals("keep-alive", StringComparison.OrdinalIgnoreCase)
            || option.Equals("upgrade", StringComparison.OrdinalIgnoreCase);
    }
}
