<?php

final class MarkdownTest extends JeenergieTestCase
{
    private const FOLDER = __DIR__ . '/../../docs/';

    public function testEverySystemHasItsPageInEachLanguage(): void
    {
        $this->forgetCatalogues();
        foreach (['fr_FR', 'en_US'] as $language) {
            $html = jeenergieMarkdown::ofFile(self::FOLDER . $language . '/index.md');
            foreach (jeenergieCatalogue::backends() as $backend) {
                $this->assertStringContainsString('data-jn_document="' . $backend . '"', $html);
                $this->assertStringContainsString('<h', jeenergieMarkdown::ofFile(self::FOLDER . "$language/$backend.md"));
            }
        }
    }
}
