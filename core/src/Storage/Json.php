<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Storage;

use Exception;
use JsonException;

/**
 * Encodes and decodes JSON, and throws on failure, where PHP's own functions return false or null.
 */
final class Json
{
    private const FLAGS = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE
        | JSON_THROW_ON_ERROR;

    /** @throws Exception if it cannot be written, with a sentence for the user */
    public static function encode(array $content): string
    {
        return self::encoded($content, self::FLAGS);
    }

    /** The same over many lines, for people. @throws Exception */
    public static function readable(array $content): string
    {
        return self::encoded($content, self::FLAGS | JSON_PRETTY_PRINT | JSON_PRESERVE_ZERO_FRACTION) . "\n";
    }

    private static function encoded(array $content, int $flags): string
    {
        try {
            return json_encode($content, $flags);
        } catch (JsonException $error) {
            throw new Exception(sprintf(__('Ces données ne peuvent pas être écrites : %s.', __FILE__), self::reason($error)));
        }
    }

    /**
     * Decodes an object or a list.
     *
     * @throws Exception if the text is neither, with a sentence for the user
     */
    public static function decode(string $text): array
    {
        try {
            $content = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
        } catch (JsonException $error) {
            throw new Exception(sprintf(__('Ces données sont illisibles : %s.', __FILE__), self::reason($error)));
        }
        if (!is_array($content)) {
            throw new Exception(sprintf(
                __('Ces données sont illisibles : %s.', __FILE__),
                __('ce n\'est ni un objet ni une liste', __FILE__)
            ));
        }
        return $content;
    }

    private static function reason(JsonException $error): string
    {
        $reasons = [
            JSON_ERROR_INF_OR_NAN => __('un nombre y est infini', __FILE__),
            JSON_ERROR_DEPTH => __('elles sont trop imbriquées', __FILE__),
            JSON_ERROR_SYNTAX => __('ce n\'est pas du JSON', __FILE__),
        ];
        return $reasons[$error->getCode()] ?? $error->getMessage();
    }
}
