<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Pages\Markdown;

final class MarkdownTest extends JeenergieTestCase
{
    private const FOLDER = __DIR__ . '/../../docs/';

    public function testEverySystemHasItsPageInEachLanguage(): void
    {
        $this->forgetCatalogues();
        foreach (['fr_FR', 'en_US'] as $language) {
            $html = Markdown::ofFile(self::FOLDER . $language . '/index.md');
            foreach (Catalogue::backends() as $backend) {
                $this->assertStringContainsString('data-jn_document="' . $backend . '"', $html);
                $this->assertStringContainsString('<h', Markdown::ofFile(self::FOLDER . "$language/$backend.md"));
            }
        }
    }

    /** @return array[] every document that is delivered */
    public static function documents(): array
    {
        $files = array_merge(glob(self::FOLDER . 'fr_FR/*.md'), glob(self::FOLDER . 'en_US/*.md'));
        $names = array_map(fn(string $file): string => basename(dirname($file)) . '/' . basename($file), $files);
        return array_combine($names, array_map(fn(string $file): array => [$file], $files));
    }

    /** @dataProvider documents */
    public function testEveryLinkOfAPageLeadsSomewhere(string $file): void
    {
        $html = Markdown::ofFile($file);
        preg_match_all('/href="([^"]*)"/', $html, $addresses);
        foreach ($addresses[1] as $address) {
            $this->assertSame($address, filter_var($address, FILTER_VALIDATE_URL), $address);
            $this->assertDoesNotMatchRegularExpression('/[.,;:!?>»]$|&gt;/u', $address);
        }
        preg_match_all('/data-jn_document="([^"]*)"(?: data-jn_section="([^"]*)")?/', $html, $links, PREG_SET_ORDER);
        foreach ($links as $link) {
            $target = dirname($file) . '/' . $link[1] . '.md';
            $this->assertFileExists($target);
            if (($link[2] ?? '') !== '') {
                $id = 'id="jn-' . $link[1] . '-' . $link[2] . '"';
                $this->assertStringContainsString($id, Markdown::ofFile($target));
            }
        }
        $this->assertDoesNotMatchRegularExpression('/\]\(|&lt;http/', preg_replace('/<(pre|code)>.*?<\/\1>/s', '', $html));
    }

    public function testAddressesEndBeforeThePunctuationOfTheSentence(): void
    {
        $html = $this->rendered("Voir <https://a.example/x/>, ou https://b.example/y, puis (https://c.example/z).\n");
        preg_match_all('/href="([^"]*)"/', $html, $found);
        $this->assertSame(['https://a.example/x/', 'https://b.example/y', 'https://c.example/z'], $found[1]);
        $this->assertStringNotContainsString('&lt;', $html);
    }

    public function testAPictureOfOneLanguageIsShown(): void
    {
        foreach (['fr_FR' => 'Le choix du système', 'en_US' => 'The choice of the system'] as $language => $alt) {
            $html = Markdown::ofFile(self::FOLDER . "$language/index.md");
            $this->assertStringContainsString('<img alt="' . $alt . '" src="data:image/png;base64,', $html);
        }
    }

    public function testEverySectionHasAnAddress(): void
    {
        $html = $this->rendered("# Titre\n\n## Venir d'`ailleurs`\n\n## Été\n\n## Fin\n\n[là](#été) [ici](other.md#a-b)\n");
        $this->assertStringContainsString('<h3 id="jn-page-venir-dailleurs">', $html);
        $this->assertStringContainsString('data-jn_document="page" data-jn_section="été">là</a>', $html);
        $this->assertStringContainsString('data-jn_document="other" data-jn_section="a-b">ici</a>', $html);
        $this->assertMatchesRegularExpression('/^<h2 id="jn-page-titre">Titre<\/h2>\s*<ul class="jnContents">/', $html);
    }

    public function testAShortDocumentHasNoTableOfContents(): void
    {
        $this->assertStringNotContainsString('jnContents', $this->rendered("# T\n\n## A\n\n## B\n"));
    }

    private function rendered(string $markdown): string
    {
        $file = sys_get_temp_dir() . '/jeenergie-' . getmypid() . '/page.md';
        @mkdir(dirname($file));
        file_put_contents($file, $markdown);
        try {
            return Markdown::ofFile($file);
        } finally {
            unlink($file);
            rmdir(dirname($file));
        }
    }

    public function testEveryRowOfATableHasAsManyCellsAsItsHead(): void
    {
        $html = $this->rendered("| | A | B |\n|---|---|---|\n| x | 1 | |\n| | a \\| b | 3 |\n");
        $this->assertStringContainsString('<tr><th></th><th>A</th><th>B</th></tr>', $html);
        $this->assertStringContainsString('<tr><td>x</td><td>1</td><td></td></tr>', $html);
        $this->assertStringContainsString('<tr><td></td><td>a | b</td><td>3</td></tr>', $html);
    }

    public function testATableWiderThanItsPageIsScrolledByKeyboard(): void
    {
        $html = $this->rendered("| A | B |\n|---|---|\n| x | 1 |\n");
        $this->assertStringContainsString('<div class="table-responsive" tabindex="0"><table', $html);
    }

    public function testNoCellOfAPageStandsUnderAnotherHead(): void
    {
        foreach (glob(self::FOLDER . '*_*/*.md') as $file) {
            preg_match_all('#<table.*?</table>#s', Markdown::ofFile($file), $tables);
            foreach ($tables[0] as $table) {
                $cells = array_map(fn(string $row): int => substr_count($row, '</t'), array_slice(explode('<tr>', $table), 1, -1));
                $this->assertLessThanOrEqual(1, count(array_unique($cells)), basename($file) . substr($table, 0, 300));
            }
        }
    }
}
