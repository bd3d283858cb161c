<?php

/* This file is part of Jeenergie, a plugin for Jeedom. Licence: AGPL-3.0 or later. */

namespace Jeenergie\Pages;

/**
 * Renders the plugin's documentation as HTML, so that it can be read inside Jeedom and offline.
 *
 * Supports what docs/ uses: headings, paragraphs, lists, tables, quotes, code, links, images of docs/images. Headings
 * have an id, and a document of several sections begins with a table of contents.
 */
final class Markdown
{
    private const MIN_SECTIONS_FOR_CONTENTS = 3;

    /** @var string folder of the document, to which paths of images are relative */
    private $folder;

    /** @var string name of the document, part of the ids of its headings */
    private $name;

    private $html = [];

    /** @var array[] [slug, HTML] of the sections (##) */
    private $sections = [];

    /** @var string[] lines of the current paragraph, list, table or quote */
    private $block = [];

    private $kind = '';

    private function __construct(string $folder, string $name)
    {
        $this->folder = $folder;
        $this->name = $name;
    }

    /** @param string $file path of a document */
    public static function ofFile(string $file): string
    {
        $lines = preg_split('/\R/', (string) file_get_contents($file));
        return (new self(dirname($file), basename($file, '.md')))->convert($lines);
    }

    /** The anchor of a heading within its document, as GitHub makes it. */
    public static function slug(string $heading): string
    {
        $plain = preg_replace('/[`*]|\[([^\]]+)\]\([^)]*\)/', '$1', $heading);
        $words = preg_replace('/[^\p{L}\p{N}\s_-]/u', '', mb_strtolower($plain));
        return preg_replace('/\s/u', '-', trim($words));
    }

    private function convert(array $lines): string
    {
        foreach ($lines as $line) {
            if ($this->kind === 'code') {
                $this->codeLine($line);
            } elseif (preg_match('/^```/', $line)) {
                $this->startBlock('code');
            } elseif (preg_match('/^(#{1,5})\s+(.*)$/', $line, $found)) {
                $this->endBlock();
                $this->heading(strlen($found[1]), trim($found[2]));
            } elseif (trim($line) === '') {
                $this->endBlock();
            } else {
                $this->textLine($line);
            }
        }
        $this->endBlock();
        return implode("\n", $this->withContents());
    }

    private function heading(int $depth, string $text): void
    {
        $slug = self::slug($text);
        $id = 'jn-' . $this->name . '-' . $slug;
        $tag = 'h' . ($depth + 1);
        $this->html[] = '<' . $tag . ' id="' . $id . '">' . $this->inline($text) . '</' . $tag . '>';
        if ($depth === 2) {
            $this->sections[] = [$slug, $this->inline($text)];
        }
    }

    /** Inserts the table of contents after the title, if there are enough sections. */
    private function withContents(): array
    {
        if (count($this->sections) < self::MIN_SECTIONS_FOR_CONTENTS) {
            return $this->html;
        }
        $items = array_map(
            fn(array $section): string => '<li>' . $this->reference($this->name, $section[0], strip_tags($section[1])) . '</li>',
            $this->sections
        );
        $isTitled = strncmp($this->html[0], '<h2', 3) === 0;
        array_splice($this->html, $isTitled ? 1 : 0, 0, ['<ul class="jnContents">' . implode('', $items) . '</ul>']);
        return $this->html;
    }

    private function codeLine(string $line): void
    {
        if (preg_match('/^```/', $line)) {
            $this->endBlock();
        } else {
            $this->block[] = $line;
        }
    }

    private function textLine(string $line): void
    {
        $kinds = ['ul' => '/^[-*]\s+(.*)$/', 'ol' => '/^\d+\.\s+(.*)$/', 'quote' => '/^>\s?(.*)$/', 'table' => '/^(\|.*)$/'];
        foreach ($kinds as $kind => $pattern) {
            if (preg_match($pattern, $line, $found)) {
                $this->startBlock($kind);
                $this->block[] = $found[1];
                return;
            }
        }
        if (in_array($this->kind, ['ul', 'ol'], true) && preg_match('/^\s/', $line)) {
            $this->block[count($this->block) - 1] .= ' ' . trim($line);
            return;
        }
        $this->startBlock('p');
        $this->block[] = $line;
    }

    private function startBlock(string $kind): void
    {
        if ($this->kind !== $kind) {
            $this->endBlock();
            $this->kind = $kind;
        }
    }

    private function endBlock(): void
    {
        $lines = $this->block;
        $kind = $this->kind;
        $this->block = [];
        $this->kind = '';
        if ($lines === []) {
            return;
        }
        switch ($kind) {
            case 'ul':
            case 'ol':
                $items = array_map(fn(string $line): string => '<li>' . $this->inline($line) . '</li>', $lines);
                $this->html[] = '<' . $kind . '>' . implode('', $items) . '</' . $kind . '>';
                break;
            case 'quote':
                $this->html[] = '<blockquote>' . $this->inline(implode(' ', $lines)) . '</blockquote>';
                break;
            case 'table':
                $this->html[] = $this->table($lines);
                break;
            case 'code':
                $this->html[] = '<pre>' . htmlspecialchars(implode("\n", $lines)) . '</pre>';
                break;
            default:
                $this->html[] = '<p>' . $this->inline(implode(' ', $lines)) . '</p>';
        }
    }

    private function table(array $lines): string
    {
        $html = '';
        $tag = 'th';
        foreach ($lines as $line) {
            if (preg_match('/^[|\s:-]+$/', $line)) {
                $tag = 'td';
                continue;
            }
            $html .= '<tr>';
            // The first and the last bar are no cells, an empty cell beside them is one; a bar of the text is escaped.
            foreach (preg_split('/(?<!\\\\)\|/', preg_replace('/^\s*\||\|\s*$/', '', $line)) as $cell) {
                $html .= '<' . $tag . '>' . $this->inline(str_replace('\|', '|', trim($cell))) . '</' . $tag . '>';
            }
            $html .= '</tr>';
        }
        return '<div class="table-responsive" tabindex="0"><table class="table table-condensed table-bordered">' . $html . '</table></div>';
    }

    private function inline(string $text): string
    {
        // Code is set aside first: it is not searched for other markup.
        $codes = [];
        $text = preg_replace_callback('/`([^`]+)`/', static function (array $found) use (&$codes): string {
            $codes[] = '<code>' . htmlspecialchars($found[1]) . '</code>';
            return "\x01" . (count($codes) - 1) . "\x01";
        }, $text);
        $text = Typography::bound(htmlspecialchars($text));
        $text = preg_replace_callback('/!\[([^\]]*)\]\(([^)\s]+)\)/', [$this, 'image'], $text);
        $text = preg_replace_callback('/\[([^\]]+)\]\(([^)\s]+)\)/', [$this, 'link'], $text);
        // URLs in angle brackets and bare ones, without the punctuation that ends the sentence.
        $text = preg_replace('/&lt;(https?:\/\/[^\s<]+?)&gt;/', '$1', $text);
        $text = preg_replace(
            '/(?<!["\w=])(https?:\/\/[^\s<)]+?)(?=[.,;:!?»]*(?:[\s<)]|$))/u',
            '<a href="$1" target="_blank" rel="noopener">$1</a>',
            $text
        );
        $text = preg_replace('/\*\*(.+?)\*\*/', '<strong>$1</strong>', $text);
        $text = preg_replace('/(?<![\w*])\*([^*]+)\*(?![\w*])/', '<em>$1</em>', $text);
        return preg_replace_callback('/\x01(\d+)\x01/', fn(array $found): string => $codes[(int) $found[1]], $text);
    }

    private function link(array $found): string
    {
        if (preg_match('/^(?:(\w+)\.md)?(?:#(.+))?$/u', $found[2], $part) === 1) {
            return $this->reference($part[1] ?: $this->name, $part[2] ?? '', $found[1]);
        }
        return preg_match('/^https?:/', $found[2]) === 1
            ? '<a href="' . $found[2] . '" target="_blank" rel="noopener" >' . $found[1] . '</a>'
            : $found[1];
    }

    /** A link to a document of the folder, or a section of one, which is in the same page already. */
    private function reference(string $document, string $section, string $html): string
    {
        return '<a class="cursor" role="button" tabindex="0" data-jn_document="' . $document . '"'
            . ($section === '' ? '' : ' data-jn_section="' . $section . '"') . '>' . $html . '</a>';
    }

    /** Images are embedded: the web server does not serve docs/. */
    private function image(array $found): string
    {
        $file = realpath($this->folder . '/' . $found[2]);
        $images = realpath($this->folder . '/../images');
        // Some pictures have one for each language, in a folder below.
        $isOurs = $images !== false && in_array(dirname((string) $file), [$images, "$images/fr", "$images/en"], true);
        if ($file === false || !$isOurs || substr($file, -4) !== '.png') {
            return $found[1];
        }
        return '<img alt="' . $found[1] . '" src="data:image/png;base64,' . base64_encode((string) file_get_contents($file)) . '">';
    }
}
