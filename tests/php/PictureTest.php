<?php

use Jeenergie\Contract\Catalogue;
use Jeenergie\Equipment\Discovery;
use Jeenergie\Pages\PageActions;

final class PictureTest extends JeenergieTestCase
{
    private function meter(array $config): jeenergie
    {
        $catalogue = Catalogue::of($this->lab());
        $catalogue['equipment']['meter']['fields'][] = [
            'key' => 'icon', 'label' => 'Icon', 'type' => 'choice', 'choices' => ['lamp' => 'Lamp', 'own1' => 'Own'],
            'icons' => ['lamp' => 'fas fa-lightbulb'],
        ];
        $this->useCatalogue($catalogue);
        $connection = jeenergie::connections()[0] ?? $this->connection();
        $key = (string) (count($connection->equipment()) + 1);
        return Discovery::create($connection, 'meter', $key, 'Meter ' . $key, $config);
    }

    public function testTheFieldIconSaysHowAnEquipmentIsPictured(): void
    {
        $this->assertSame('fas fa-lightbulb', $this->meter(['icon' => 'lamp'])->icon());
        $this->assertSame('x', $this->meter(['icon' => 'own1'])->icon());
        $this->assertSame('x', $this->meter([])->icon());
        $shown = PageActions::get(['id' => $this->meter(['icon' => 'lamp'])->getId()]);
        $this->assertSame(['fas fa-lightbulb', 'x'], [$shown['icon'], $shown['typeIcon']]);
    }

    public function testAPictureOfThatNameIsUsedWhereThereIsOne(): void
    {
        $this->assertNull($this->meter(['icon' => 'lamp'])->picture());
        $this->assertSame('plugin.png', $this->meter(['icon' => 'lamp'])->getImage());
        $folder = dirname(__DIR__, 2) . '/desktop/img';
        $made = !is_dir($folder) && mkdir($folder);
        touch($folder . '/own1.png');
        try {
            $this->assertSame('plugins/jeenergie/desktop/img/own1.png', $this->meter(['icon' => 'own1'])->getImage());
        } finally {
            unlink($folder . '/own1.png');
            $made && rmdir($folder);
        }
    }

    public function testASystemThatIsGoneHasNoIcon(): void
    {
        $meter = $this->meter(['icon' => 'lamp']);
        $meter->setConfiguration('backend', 'gone')->save(true);
        $this->assertSame('', $meter->icon());
        $this->assertSame('plugin.png', $meter->getImage());
    }

    public function testWhatAFormDoesNotSendIsKept(): void
    {
        $meter = $this->meter(['icon' => 'lamp', 'kind' => 'water']);
        $meter->setConfiguration('config', ['kind' => 'gas']);
        $meter->save();
        $this->assertSame(['kind' => 'gas', 'icon' => 'lamp', 'tile' => 'auto'], jeenergie::byId($meter->getId())->config());
    }
}
